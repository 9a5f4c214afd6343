package member

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// port is where GDOI is spoken (RFC 6407 §2.2).
const port = 848

// What a configuration leaves at zero.
const (
	defaultMTU            = 1500
	defaultRetryDelay     = 10 * time.Second
	defaultReRegister     = 60 * time.Second
	defaultPhase1Lifetime = 24 * time.Hour
	defaultRetransmit     = time.Second
	defaultRetries        = 4
)

// maxSIDRequest is the largest SENDER_ID_REQUEST that its Basic attribute holds (RFC 6407 §5.4.2).
const maxSIDRequest = 0xffff

// complete checks a configuration and fills in the defaults.
func complete(cfg policy.Member) (policy.Member, error) {
	own := cfg.Address.Addr()
	if !ofHost(own) {
		return cfg, fmt.Errorf("address %s: want that of a host", cfg.Address)
	}
	if other := cfg.OtherAddress; other.IsValid() && (!ofHost(other) || other.Is4() == own.Is4()) {
		return cfg, fmt.Errorf("other address %s: want that of a host, of another IP version than %s", other, own)
	}
	if len(cfg.KeyServers) == 0 && cfg.Profile != policy.ProfileGETVPN {
		return cfg, errors.New("no key server")
	}
	if cfg.SIDRequest < 0 || cfg.SIDRequest > maxSIDRequest {
		return cfg, fmt.Errorf("request for %d Sender-IDs: want 0 to %d", cfg.SIDRequest, maxSIDRequest)
	}
	if err := cfg.Phase1.CheckProposals(); err != nil {
		return cfg, err
	}
	if cfg.Phase1.Mode == policy.EitherMode {
		return cfg, errors.New("phase 1 begins in main or in aggressive mode: either is for those who answer")
	}
	cfg.Address = withPort(cfg.Address)
	cfg.KeyServers = slices.Clone(cfg.KeyServers)
	for i, ks := range cfg.KeyServers {
		cfg.KeyServers[i] = withPort(ks)
		if ks.Addr().Is4() != own.Is4() {
			return cfg, fmt.Errorf("key server %s: of another IP version than %s", ks.Addr(), own)
		}
		if cfg.Phase1.UsesPSK() && !cfg.Phase1.Reaches(ks.Addr()) {
			return cfg, fmt.Errorf("key server %s: no pre-shared key", ks.Addr())
		}
	}
	setDefault(&cfg.MTU, defaultMTU)
	setDefault(&cfg.RetryDelay, defaultRetryDelay)
	setDefault(&cfg.Phase1.Lifetime, defaultPhase1Lifetime)
	setDefault(&cfg.Phase1.Retransmit, defaultRetransmit)
	setDefault(&cfg.Phase1.Retries, defaultRetries)
	setDefault(&cfg.Phase1.Keepalive, defaultKeepalive)
	return cfg, nil
}

// ofHost reports whether an address can be that of a host on the wire.
func ofHost(a netip.Addr) bool {
	return a.IsValid() && !a.Is4In6() && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast()
}

// addresses are all of the gateway's own.
func addresses(cfg policy.Member) []netip.Addr {
	all := []netip.Addr{cfg.Address.Addr()}
	if cfg.OtherAddress.IsValid() {
		all = append(all, cfg.OtherAddress)
	}
	return all
}

func setDefault[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

func withPort(a netip.AddrPort) netip.AddrPort {
	if a.Port() != 0 {
		return a
	}
	return netip.AddrPortFrom(a.Addr(), port)
}
