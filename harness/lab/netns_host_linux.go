package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/mdlayher/packet"
)

// kernelHost is a machine behind a member: a namespace with its own IP stack.
type kernelHost struct {
	net   *kernelNet
	name  string
	addr  netip.Addr
	addr6 netip.Addr // not valid without IPv6
	link  *link      // for packets that no IP stack would make

	mu     sync.Mutex
	probes []*kernelProbe
}

// link is a raw way out of a host to its gateway.
type link struct {
	name      string // of the interface
	conn      *packet.Conn
	self, via net.HardwareAddr
}

var _ Transferrer = (*kernelHost)(nil)

func (h *kernelHost) Addr() netip.Addr  { return h.addr }
func (h *kernelHost) Addr6() netip.Addr { return h.addr6 }

// Send puts the packet into an Ethernet frame for the gateway; the host's IP stack does not see it.
func (h *kernelHost) Send(p []byte) error {
	ip, ok := Parse(p)
	if !ok {
		return errNoIP
	}
	out := h.net.wayOut(h)
	frame := append(slices.Concat(out.via, out.self), etherType(ip)...)
	if _, err := out.conn.WriteTo(append(frame, p...), &packet.Addr{HardwareAddr: out.via}); err != nil {
		return fmt.Errorf("lab: %s sends a packet: %w", h.name, err)
	}
	return nil
}

// openLink opens the raw way out, in the host's namespace.
func openLink(name string, via net.HardwareAddr) (*link, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(ifi, packet.Raw, sendOnly, nil)
	if err != nil {
		return nil, err
	}
	return &link{name: name, conn: conn, self: ifi.HardwareAddr, via: via}, nil
}

// sendOnly as the protocol of a packet socket has nothing queued on it.
const sendOnly = 0

func (h *kernelHost) close() {
	if h.link != nil {
		_ = h.link.conn.Close()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.probes {
		p.Stop()
	}
}

// Fetch serves HTTP in the other host's namespace and loads from it in this one. The sockets are opened inside the
// namespaces and used outside.
func (h *kernelHost) Fetch(ctx context.Context, from Host, octets int64) (int64, error) {
	server, ok := from.(*kernelHost)
	if !ok {
		return 0, errors.New("lab: HTTP needs two hosts with a kernel")
	}
	var listener net.Listener
	err := server.net.inside(server.name, func() (err error) {
		listener, err = net.Listen("tcp4", netip.AddrPortFrom(server.addr, 0).String())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("lab: HTTP server: %w", err)
	}
	service := &http.Server{Handler: pattern(octets), ReadHeaderTimeout: Patience}
	served := make(chan struct{})
	go func() { defer close(served); _ = service.Serve(listener) }()
	defer func() { _ = service.Close(); <-served }()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		err = h.net.inside(h.name, func() (err error) {
			c, err = (&net.Dialer{}).DialContext(ctx, network, addr)
			return err
		})
		return c, err
	}}
	defer transport.CloseIdleConnections()
	return load(ctx, &http.Client{Transport: transport}, "http://"+listener.Addr().String()+"/")
}

// pattern serves so many octets of a pattern that makes loss and disorder visible.
func pattern(octets int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.FormatInt(octets, 10))
		_, _ = io.CopyN(w, &counter{}, octets)
	})
}

func load(ctx context.Context, client *http.Client, url string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fmt.Errorf("lab: HTTP: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("lab: HTTP: %w", err)
	}
	defer response.Body.Close()
	var want counter
	got, expected := make([]byte, 1<<16), make([]byte, 1<<16)
	var intact int64
	for {
		count, err := response.Body.Read(got)
		_, _ = want.Read(expected[:count])
		if string(got[:count]) != string(expected[:count]) {
			return intact, fmt.Errorf("lab: HTTP: the data differ after %d octets", intact)
		}
		intact += int64(count)
		switch {
		case errors.Is(err, io.EOF):
			return intact, nil
		case err != nil:
			return intact, fmt.Errorf("lab: HTTP: after %d octets: %w", intact, err)
		}
	}
}

// counter reads as an endless pattern whose period is no power of two.
type counter struct{ at uint64 }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c.at % 251)
		c.at++
	}
	return len(b), nil
}
