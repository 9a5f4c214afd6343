package router

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// Login is how a router is reached, and how it is known.
type Login struct {
	Address  string // with a port
	User     string
	Password string // "": none
	Key      []byte // PEM of a private key; nil: none
	HostKey  string // of the router, as in an authorized_keys file
	Old      bool   // take algorithms, too, that are no longer thought secure
}

// config makes the client's configuration.
func (l Login) config() (*ssh.ClientConfig, error) {
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(l.HostKey))
	if err != nil {
		return nil, fmt.Errorf("router: the host key %q is none; write it as in a known_hosts file, without the name: %w", l.HostKey, err)
	}
	c := &ssh.ClientConfig{User: l.User, HostKeyCallback: ssh.FixedHostKey(host), HostKeyAlgorithms: hostKeyAlgorithms(host.Type())}
	if l.Key != nil {
		signer, err := ssh.ParsePrivateKey(l.Key)
		if err != nil {
			return nil, fmt.Errorf("router: the key of the user %s: %w", l.User, err)
		}
		c.Auth = append(c.Auth, ssh.PublicKeys(signer))
	}
	if l.Password != "" {
		c.Auth = append(c.Auth, ssh.Password(l.Password), ssh.KeyboardInteractive(l.interactive))
	}
	if l.Old {
		known, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
		c.KeyExchanges = slices.Concat(known.KeyExchanges, old.KeyExchanges)
		c.Ciphers, c.MACs = slices.Concat(known.Ciphers, old.Ciphers), slices.Concat(known.MACs, old.MACs)
	}
	return c, nil
}

// hostKeyAlgorithms are those with which a host proves that it has a key of that type (RFC 8332).
func hostKeyAlgorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// interactive answers every question of a router that asks for the password in its own words (RFC 4256).
func (l Login) interactive(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = l.Password
	}
	return answers, nil
}

// ErrLogin is in the chain of the errors of a router that cannot be logged in to.
var ErrLogin = errors.New("router: no login")

// dial logs in; all of it takes no longer than limit.
func (l Login) dial(ctx context.Context, limit time.Duration) (*ssh.Client, error) {
	config, err := l.config()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLogin, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	c, channels, requests, err := ssh.NewClientConn(conn, l.Address, config)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%w at %s as %s: %w", ErrLogin, l.Address, l.User, err)
	}
	return ssh.NewClient(c, channels, requests), nil
}
