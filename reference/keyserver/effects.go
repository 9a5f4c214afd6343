package keyserver

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// send sends datagrams from the key server's address, but for those that a tap withheld, and those to where a null route leads. Each has octets of its own, since
// the same ones may be sent again.
func (k *KeyServer) send(datagrams ...ike.Datagram) {
	for _, d := range datagrams {
		d.Data = bytes.Clone(d.Data)
		k.post(d)
	}
}

// post is send without octets of its own.
func (k *KeyServer) post(d ike.Datagram) {
	if d.Data == nil || k.cfg.Router.Drops(d.To.Addr()) {
		return
	}
	from := k.cfg.Address
	if d.From.IsValid() {
		from = d.From
	}
	k.emit(core.Send{From: from, To: d.To, Data: d.Data, Kind: d.Kind})
}

func (k *KeyServer) log(severity core.Severity, tag, text string, fields ...core.Field) {
	k.out = append(k.out, &core.Log{Severity: severity, Tag: tag, Text: text, Fields: fields})
}

func field(name string, value any) core.Field {
	return core.Field{Name: name, Value: text(value)}
}

// text is fmt.Sprint, with a short way for what each acknowledgement is logged with.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case uint32:
		return strconv.FormatUint(uint64(v), 10)
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(value)
}

// refuse accounts for a message that was refused, and reports whether there is a line about what it broke: their number is limited.
// Whatever is no violation is an error of this side.
func (k *KeyServer) refuse(now time.Time, err error, from netip.AddrPort) (told bool) {
	var v *rule.Violation
	var notified *ike.Notified
	switch {
	case err == nil:
	case errors.As(err, &v):
		lines := k.refused.Refuse(now, v, from)
		k.out = append(k.out, lines...)
		return len(lines) > 0
	case errors.As(err, &notified):
		k.log(core.Info, "NOTIFIED", notified.Error(), field("from", from))
	default:
		k.fail("message from "+from.String(), err)
	}
	return false
}

// refuseGuard is refuse for messages that cost as little as possible.
func (k *KeyServer) refuseGuard(now time.Time, g *rule.Guard, from netip.AddrPort) {
	if !g.Holds(k.opts.Rules, false) {
		k.out = append(k.out, k.refused.RefuseGuard(now, g, from)...)
	}
}

// fail reports what should not happen, whatever comes in.
func (k *KeyServer) fail(what string, err error) {
	k.log(core.Error, "FAILED", what+": "+err.Error())
}

func (k *KeyServer) secret(s *core.Secret) {
	if k.opts.Secrets {
		k.out = append(k.out, s)
	}
}
