package policy

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// hexPrefix marks a pre-shared key that is written in hexadecimal.
const hexPrefix = "hex:"

func phase1(v yamldoc.Value) Phase1 {
	var p Phase1
	var keys []place[PSK]
	v.Fields(
		yamldoc.Required("psks", &keys, yamldoc.Some("pre-shared key", placed(psk))),
		yamldoc.Optional("lifetime", &p.Lifetime, seconds(1, maxLifetime)),
		yamldoc.Optional("retransmit", &p.Retransmit, between(time.Millisecond, maxDelay)),
		yamldoc.Optional("retries", &p.Retries, within(0, 100)),
		yamldoc.Optional("half_open_max", &p.HalfOpenMax, within(0, 1<<20)),
	)
	peers := make(map[netip.Prefix]string)
	for _, k := range keys {
		once(k.at, peers, k.value.Peer)
		p.PSKs = append(p.PSKs, k.value)
	}
	return p
}

func psk(v yamldoc.Value) PSK {
	var k PSK
	v.Fields(yamldoc.Required("peer", &k.Peer, network), yamldoc.Required("key", &k.Key, pskKey))
	return k
}

// pskKey reads the octets of a key. The key itself never stands in a problem.
func pskKey(v yamldoc.Value) []byte {
	if !v.IsText() {
		v.Problem("a pre-shared key is text in quotes, or hexadecimal digits after %q", hexPrefix)
		return nil
	}
	s, _ := v.Text()
	key := []byte(s)
	if digits, ok := strings.CutPrefix(s, hexPrefix); ok {
		var err error
		if key, err = hex.DecodeString(digits); err != nil {
			v.Problem("after %q an even number of hexadecimal digits is expected", hexPrefix)
			return nil
		}
	}
	if len(key) == 0 {
		v.Problem("the key is empty")
		return nil
	}
	return key
}
