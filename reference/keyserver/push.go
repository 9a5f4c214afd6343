package keyserver

import (
	"bytes"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// carried is a group with what this carrier needs beside it.
type carried struct {
	*group.Group
	sealed map[sealedKey][]byte // PUSH messages that may have to be sent again
}

type sealedKey struct {
	under    policy.RekeySPI
	sequence uint32
}

// carry makes a group's plans happen: each becomes one datagram, the same octets to every address, and again when it is
// repeated.
func (k *KeyServer) carry(c *carried, plans ...group.Plan) {
	k.follow(c)
	for _, p := range plans {
		if len(p.To) > 0 {
			k.push(c, p)
		}
		for _, m := range p.Missing {
			k.log(core.Warning, "ACK_MISSING", "no acknowledgement from the member", field("group", c.ID()),
				field("member", m.Identity.Brief()), field("address", m.Address), field("sequence", p.Rekey.Sequence), field("gone", m.Gone))
			k.tellMissing(c, m)
		}
	}
}

func (k *KeyServer) push(c *carried, p group.Plan) {
	data, err := k.datagram(c, p)
	if err != nil {
		k.fail("PUSH", err)
		return
	}
	data = bytes.Clone(data) // for all of them: there may be thousands
	for _, to := range p.To {
		k.post(ike.Datagram{Kind: core.Push, From: k.floats.path(to), To: to, Data: data})
	}
	c.Sent(k.now, p)
	k.signs()
	k.log(core.Notice, "REKEY_SENT", "rekey sent", field("group", c.ID()), field("sequence", p.Rekey.Sequence),
		field("rekey", p.Under.SPI), field("addresses", len(p.To)), field("attempt", p.Attempt), field("spis", spis(p.Rekey)),
		field("kek", p.Rekey.NewRekey != nil), field("delete", p.Rekey.DeleteKEK || len(p.Rekey.DeleteTEKs) > 0))
	k.tellSent(c, p)
	k.tellBlackhole(c, p)
}

// datagram seals a plan, or finds what it was sealed to before.
func (k *KeyServer) datagram(c *carried, p group.Plan) ([]byte, error) {
	key := sealedKey{p.Under.SPI, p.Rekey.Sequence}
	if data, ok := c.sealed[key]; ok && p.Attempt > 0 {
		return k.transmit(p, data), nil
	}
	data, err := k.sealPush(p)
	if err != nil {
		return nil, err
	}
	c.remember(key, data)
	return k.transmit(p, data), nil
}

// remember keeps the octets of a PUSH while it may have to be repeated, and forgets those that need not be any more.
func (c *carried) remember(key sealedKey, data []byte) {
	for have := range c.sealed {
		if !c.Outstanding(have.under, have.sequence) {
			delete(c.sealed, have)
		}
	}
	if c.Outstanding(key.under, key.sequence) {
		c.sealed[key] = data
	}
}

// transmit shows one copy of a PUSH to the tap.
func (k *KeyServer) transmit(p group.Plan, data []byte) []byte {
	if data == nil || k.opts.Tap == nil {
		return data
	}
	o := &core.Outgoing{Kind: core.Push, Header: k.pushHeader(p.Under.SPI), Bytes: append([]byte{}, data...)}
	k.opts.Tap.See(core.Sealed, o)
	if o.Withhold {
		return nil
	}
	return o.Bytes
}

// follow takes up what has changed in a group: Rekey SAs by which messages are to be known, and keys for the key log.
func (k *KeyServer) follow(c *carried) {
	changes := c.Changes()
	k.tellLeft(c, changes.Left)
	for _, spi := range changes.Ended {
		delete(k.byRekey, cookies(spi))
	}
	for _, r := range changes.Rekeys {
		k.byRekey[cookies(r.SPI)] = c
		k.secret(&core.Secret{Group: c.ID(), Rekey: &r})
	}
	for _, sa := range changes.SAs {
		k.secret(&core.Secret{Group: c.ID(), Traffic: &sa})
	}
}

// spis are the SPIs of the Data-Security SAs in a message, each once: several SATs may name one SA.
func spis(r policy.Rekey) []string {
	list := []string{}
	for _, sa := range r.SAs {
		if spi := policy.FormatSPI(sa.SPI); !slices.Contains(list, spi) {
			list = append(list, spi)
		}
	}
	return list
}
