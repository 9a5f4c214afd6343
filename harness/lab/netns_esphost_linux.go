package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// espHost is a foreigner that is told what to do on its standard input.
type espHost struct {
	*foreigner
	requests io.WriteCloser
	asked    uint64
}

var _ ESPHost = (*espHost)(nil)

// Seat starts a host with ESP on the node of member i, whose own kernel keeps silent from then on.
func (n *kernelNet) Seat(ctx context.Context, i int, f *peer.Foreign) (ESPHost, error) {
	h, err := n.seatIn(i, f)
	if err != nil {
		return nil, err
	}
	if err := h.awaitUp(ctx, f); err != nil {
		return h, err
	}
	return h, h.ask(ctx, esphost.MethodPlace, n.placeOf(i))
}

func (n *kernelNet) seatIn(i int, f *peer.Foreign) (h *espHost, err error) {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	if len(n.plan.Routers) > 0 {
		return nil, &Lacking{"a host with ESP alone does not tell its link address, for which a router asks"}
	}
	h = &espHost{foreigner: n.newForeigner(MemberName(i), f)}
	p := peer.ESPPlace{Dir: h.dir, Interface: wanInterface, Link: n.wire.ports[h.name].mac.String()}
	if p.Program, err = os.Executable(); err != nil {
		return nil, err
	}
	if h.launch, err = f.LaunchESP(p); err != nil {
		return nil, err
	}
	if err := n.inside(h.name, mute); err != nil {
		return nil, fmt.Errorf("lab: silencing %s: %w", h.name, err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	h.stdin, h.requests = in, out
	err = h.moveIn(f)
	if err := errors.Join(err, in.Close()); err != nil { // the process has its own
		return nil, errors.Join(err, out.Close())
	}
	n.nodes = append(n.nodes, h)
	return h, nil
}

// mute takes the addresses of the WAN from the kernel of the calling thread's namespace, and that it forwards packets, so that it
// answers nothing that is for whoever has taken its place.
func mute() error {
	link, err := netlink.LinkByName(wanInterface)
	if err != nil {
		return err
	}
	addresses, err := netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		if err := netlink.AddrDel(link, &a); err != nil {
			return err
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("0"), 0o644)
}

// placeOf is the place of member i.
func (n *kernelNet) placeOf(i int) esphost.Place {
	p := esphost.Place{Interface: wanInterface, Link: n.wire.ports[MemberName(i)].mac.String(), WAN: netip.PrefixFrom(MemberAddr(i), WAN.Bits()),
		Inside: HostAddr(i), Groups: []netip.Addr{MulticastGroup}}
	for j := 1; j <= n.plan.Members; j++ {
		if j != i {
			p.Remotes = append(p.Remotes, esphost.Remote{Host: HostAddr(j), Via: MemberAddr(j), Link: n.wire.ports[MemberName(j)].mac.String()})
		}
	}
	return p
}

// ask sends a request and waits for its answer.
func (h *espHost) ask(ctx context.Context, method string, params any) error {
	h.asked++
	line, err := esphost.Request(h.asked, method, params)
	if err != nil {
		return err
	}
	if _, err := h.requests.Write(line); err != nil {
		return fmt.Errorf("lab: %s of %s: %w", method, h.name, err)
	}
	var answer *esphost.Message
	h.net.Wait(ctx, Patience, func() bool {
		answer = h.answerTo(h.asked)
		return answer != nil || h.hasExited()
	})
	switch {
	case answer == nil:
		return fmt.Errorf("lab: %s of %s: no answer: %s", method, h.name, strings.Join(h.Log(), "; "))
	case answer.Error != nil:
		return fmt.Errorf("lab: %s of %s: %s", method, h.name, answer.Error.Message)
	}
	return nil
}

// answerTo is the answer to the request of that number, nil if there is none yet.
func (h *espHost) answerTo(id uint64) *esphost.Message {
	for _, m := range h.messages() {
		if m.ID == id {
			return &m
		}
	}
	return nil
}

// messages are the lines that are no log.
func (h *espHost) messages() (all []esphost.Message) {
	for _, line := range h.stdout.all() {
		if m, err := esphost.Parse([]byte(line)); err == nil {
			all = append(all, m)
		}
	}
	return all
}

// Install has the host use these SAs and no others.
func (h *espHost) Install(ctx context.Context, sas ...esphost.SA) error {
	return h.ask(ctx, esphost.MethodInstall, sas)
}

// Send has the host send a datagram.
func (h *espHost) Send(ctx context.Context, d esphost.Datagram) error {
	return h.ask(ctx, esphost.MethodSend, d)
}

// Received are the datagrams of the host's notifications.
func (h *espHost) Received() (all []esphost.Datagram) {
	for _, m := range h.messages() {
		var d esphost.Datagram
		if m.Method == esphost.MethodReceived && json.Unmarshal(m.Params, &d) == nil {
			all = append(all, d)
		}
	}
	return all
}

// Stop closes the host's input, which is its end, and then does what has to be done for those who do not heed it.
func (h *espHost) Stop() error {
	err := h.requests.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	select {
	case <-h.exited:
	case <-time.After(h.launch.Stop.Within):
	}
	return errors.Join(err, h.foreigner.Stop())
}
