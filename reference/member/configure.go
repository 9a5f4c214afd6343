package member

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardChangePSK = rule.Duty("member.change.psk", "GETVPN-AUTHZ-03", rule.GM,
	"a member that takes other pre-shared keys keeps what it has of its group, and registers with them the next time")

var errRestart = errors.New("only the pre-shared keys and what is joined by hand are changed while it runs: start the member anew")

// configure has the member go by another configuration, in which nothing but the pre-shared keys and the streams that are joined by
// hand may be others. What the group has given it, and a Phase 1 SA, stay as they are (GETVPN-AUTHZ-03).
func (m *Member) configure(now time.Time, args json.RawMessage) error {
	var what control.ConfigureArgs
	if err := json.Unmarshal(args, &what); err != nil {
		return fmt.Errorf("arguments of configure: %w", err)
	}
	next, err := policy.ParseMember("configuration", []byte(what.Config))
	if err != nil {
		return err
	}
	if same, err := alike(m.cfg, next); err != nil || !same {
		return errors.Join(err, errRestart)
	}
	m.joinByHand(m.cfg.Joins, next.Joins)
	m.cfg.Joins = next.Joins
	m.cfg.Phase1.PSKs = next.Phase1.PSKs
	for _, g := range m.groups {
		g.cfg.Phase1.PSKs = next.Phase1.PSKs
		if !guardChangePSK.Kept(m.rules) {
			g.forget(now)
		}
	}
	m.groups[0].log(core.Notice, "CONFIGURED", "the pre-shared keys, and the streams that are joined by hand, are those of this configuration")
	return nil
}

// alike reports whether two configurations are the same but for what a running member takes.
func alike(a, b policy.Member) (bool, error) {
	a.Phase1.PSKs, b.Phase1.PSKs = nil, nil
	a.Joins, b.Joins = nil, nil
	one, err1 := policy.MarshalMember(a)
	other, err2 := policy.MarshalMember(b)
	return bytes.Equal(one, other), errors.Join(err1, err2)
}
