package member

import (
	"bytes"
	"slices"

	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardDownload = rule.Check("member.pull4.download", "RFC6407-3.3-08", rule.GM,
		"a registration in a hierarchy of keys brings LKH_DOWNLOAD_ARRAY")
	guardPushDownload = rule.Check("member.push.download", "RFC6407-5.6.3.1-01", rule.GM,
		"a PUSH to a multicast group has no LKH_DOWNLOAD_ARRAY")
	guardPushUpdate = rule.Check("member.push.update", "RFC6407-4.4-05", rule.GM,
		"one of the updates of a hierarchy of keys begins at a key that the member has")
	guardUpdateLast = rule.Duty("member.push.update_last", "RFC6407-4.4-05", rule.GM,
		"the last key of an update is the KEK")
	guardUpdateKept = rule.Duty("member.push.update_kept", "RFC6407-4.4-05", rule.GM,
		"the keys of an update take the places of those before")
)

// checkDownload looks for the keys of a hierarchy that a registration has to bring, since there is nothing to open updates with.
func (m *membership) checkDownload(r *policy.RekeySA) error {
	if r != nil && r.LKH != nil && !guardDownload.Holds(m.rules, len(r.LKH.Path) > 0) {
		return guardDownload.Violated("LKH packet without LKH_DOWNLOAD_ARRAY")
	}
	return nil
}

// takeHierarchy makes the KEK of a PUSH out of what it brings of a hierarchy of keys (RFC 6407 §4.4).
func (m *membership) takeHierarchy(r *policy.RekeySA) error {
	if r == nil || r.LKH == nil {
		return nil
	}
	if !guardPushDownload.Holds(m.rules, !m.rekey.group().IsValid() || len(r.LKH.Path) == 0) {
		return guardPushDownload.Violated("a PUSH to %v with an LKH_DOWNLOAD_ARRAY", m.rekey.group())
	}
	if len(r.LKH.Path) > 0 {
		return nil
	}
	path, err := m.openUpdates(gdoimap.CipherOf(*r), r.LKH.Updates)
	if err != nil {
		return err
	}
	m.takePath(r, path)
	return nil
}

// openUpdates finds the update that begins at a key of the member's, and returns the keys that it has with it. Without one the
// member has been excluded, or has missed too much.
func (m *membership) openUpdates(c keymat.Cipher, updates []policy.LKHUpdate) ([]policy.LKHKey, error) {
	held := m.path()
	for _, u := range updates {
		for i, k := range held {
			if k.ID == u.ID && k.Handle == u.Handle {
				return openUpdate(c, held[:i+1:i+1], u)
			}
		}
	}
	if !guardPushUpdate.Holds(m.rules, false) {
		return nil, guardPushUpdate.Violated("none of %d updates is for a key of this member", len(updates))
	}
	return held, nil
}

// openUpdate decrypts the keys of an update, each under the one before.
func openUpdate(c keymat.Cipher, keys []policy.LKHKey, u policy.LKHUpdate) ([]policy.LKHKey, error) {
	for _, k := range u.Keys {
		data, err := c.UnwrapLKH(keys[len(keys)-1].Data, k.Data)
		if err != nil {
			return nil, guardPushUpdate.Violated("LKH key %d: %v", k.ID, err)
		}
		k.Data = data
		keys = append(keys, k)
	}
	return keys, nil
}

// takePath has the last key be the KEK, and the member keep the others.
func (m *membership) takePath(r *policy.RekeySA, path []policy.LKHKey) {
	iv := gdoimap.CipherOf(*r).BlockSize()
	kek := make([]byte, iv+r.KeyBits/8)
	if len(path) > 0 {
		last := path[len(path)-1]
		if !guardUpdateLast.Kept(m.rules) {
			last = path[max(0, len(path)-2)]
		}
		copy(kek, last.Data)
	}
	r.IV, r.Key = bytes.Clone(kek[:iv]), bytes.Clone(kek[iv:])
	if !guardUpdateKept.Kept(m.rules) {
		path = m.path()
	}
	r.LKH = &policy.LKH{Path: slices.Clone(path)}
}

// path are the keys of a hierarchy that the member has, from its leaf to the KEK.
func (m *membership) path() []policy.LKHKey {
	if m.rekey == nil || m.rekey.LKH == nil {
		return nil
	}
	return m.rekey.LKH.Path
}
