package policy_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// certified are certificates of a key on P-256.
func certified(t testing.TB) policy.Certificates {
	t.Helper()
	root := pki.Root("root")
	middle := root.Below("middle")
	key := pki.ECDSA(elliptic.P256(), "node")
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := middle.Issue(key, pki.Subject{CN: "node"})
	return policy.Certificates{
		Chain: [][]byte{leaf, middle.Certificate}, Key: der, Anchors: [][]byte{root.Certificate}, CRLs: [][]byte{middle.Revoke(leaf), root.Revoke()},
		Known: [][]byte{root.Issue(key, pki.Subject{CN: "peer"})},
	}
}

// authenticated has a value in every field that has to do with who a peer is.
func authenticated(t testing.TB) policy.Phase1 {
	t.Helper()
	signing := policy.DefaultProposal
	signing.Authentication = policy.AuthECDSA256
	return policy.Phase1{
		Proposals: []policy.Proposal{signing, policy.DefaultProposal}, Certificates: certified(t),
		Identity: policy.Identity{Kind: policy.IdentityDN, Value: "CN=node,OU=Routers,O=example"},
		Peers: []policy.Identity{
			{Kind: policy.IdentityFQDN, Value: "ks.example"}, {Kind: policy.IdentityUserFQDN, Value: "ks@example"},
			{Kind: policy.IdentityAddress, Value: "2001:db8::1"}, {Kind: policy.IdentityKeyID, Value: "\x00\x01"}, {Kind: policy.IdentityKeyID, Value: "key"},
		},
		PSKs: []policy.PSK{{Peer: netip.MustParsePrefix("0.0.0.0/0"), Identity: policy.Identity{Kind: policy.IdentityFQDN, Value: "ks.example"},
			Key: []byte("k")}},
	}
}

func TestAuthenticationRoundTrip(t *testing.T) {
	m := fullMember()
	m.Phase1 = authenticated(t)
	if diff := cmp.Diff(m, memberRoundTrip(t, m), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	k, err := policy.ParseKeyServer("ks.yaml", []byte(keyServerYAML), keys(t))
	if err != nil {
		t.Fatal(err)
	}
	k.Phase1 = authenticated(t)
	k.Phase1.PSKs, k.Phase1.Proposals = nil, k.Phase1.Proposals[:1]
	k.Groups[0].Identities = []policy.Identity{{Kind: policy.IdentitySubject, Value: "OU=Routers,O=example"}, {Kind: policy.IdentityFQDN, Value: "gm1.example"}}
	text, err := policy.MarshalKeyServer(k, "ks1.pem")
	if err != nil {
		t.Fatal(err)
	}
	again, err := policy.ParseKeyServer("ks.yaml", text, keys(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(k, again, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Certificates may stand in files beside the configuration.
func TestCertificatesFromFiles(t *testing.T) {
	dir, c := t.TempDir(), certified(t)
	file := func(name, typ string, ders ...[]byte) {
		t.Helper()
		var text bytes.Buffer
		for _, der := range ders {
			_ = pem.Encode(&text, &pem.Block{Type: typ, Bytes: der})
		}
		if err := os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file("chain.pem", "CERTIFICATE", c.Chain...)
	file("key.pem", "PRIVATE KEY", c.Key)
	file("anchors.pem", "CERTIFICATE", c.Anchors...)
	file("crls.pem", "X509 CRL", c.CRLs...)
	file("known.pem", "CERTIFICATE", c.Known...)
	text := strings.Replace(memberYAML, "  psks:\n    - peer: 10.0.0.1\n      key: secret\n",
		"  proposals: [{authentication: ecdsa256, encryption: aes128-cbc, hash: sha256, group: ecp256}]\n"+
			"  certificates: {chain: chain.pem, key: key.pem, anchors: anchors.pem, crls: crls.pem, known: known.pem}\n", 1)
	path := filepath.Join(dir, "gm.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := policy.LoadMember(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, m.Phase1.Certificates); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// authFaults are what is put in place of the pre-shared keys of a key server, and what must come of it.
var authFaults = []struct{ name, phase1, want string }{
	{"a method without certificates", "proposals: [{authentication: rsa, encryption: 3des, hash: sha1, group: ecp256}]",
		"ks.yaml:5:15: phase1.proposals[0]: it needs certificates with a chain, a key and anchors"},
	{"a key of another method", "proposals: [{authentication: rsa, encryption: 3des, hash: sha1, group: ecp256}]\n  certificates: {chain: c.pem, key: p256.pem, anchors: c.pem}",
		"ks.yaml:5:15: phase1.proposals[0]: the key of the certificate is not one for rsa"},
	{"a key that is not that of the certificate", "proposals: [{authentication: ecdsa256, encryption: 3des, hash: sha1, group: ecp256}]\n  certificates: {chain: c.pem, key: other.pem, anchors: c.pem}",
		"ks.yaml:6:17: phase1.certificates: the key is not that of the first certificate of the chain"},
	{"the signing key", "proposals: [{authentication: rsa, encryption: 3des, hash: sha1, group: ecp256}]\n  certificates: {chain: ks1cert.pem, key: ks1.pem, anchors: c.pem}",
		"ks.yaml:1:1: the signing_key is that of phase1.certificates"},
	{"no such file", "certificates: {chain: none.pem, key: p256.pem, anchors: c.pem}",
		`ks.yaml:5:25: phase1.certificates.chain: there is no file "none.pem"`},
	{"a key among the certificates", "certificates: {chain: p256.pem, key: p256.pem, anchors: c.pem}",
		`ks.yaml:5:25: phase1.certificates.chain: "p256.pem" holds a PEM block "PRIVATE KEY" where CERTIFICATE is expected`},
	{"certificates instead of a CRL", "certificates: {chain: c.pem, key: p256.pem, anchors: c.pem, crls: c.pem}",
		`phase1.certificates.crls: "c.pem" holds a PEM block "CERTIFICATE" where X509 CRL is expected`},
	{"a certificate cut short", "certificates: {chain: short.pem, key: p256.pem, anchors: c.pem}",
		`phase1.certificates.chain: "short.pem" holds a certificate that cannot be read`},
	{"no anchors", "certificates: {chain: c.pem, key: p256.pem}", `ks.yaml:5:17: phase1.certificates: the field "anchors" is missing`},
	{"an unknown method", "proposals: [{authentication: dss, encryption: 3des, hash: sha1, group: ecp256}]", `phase1.proposals[0].authentication: "dss"`},
	{"an identity of no kind", "identity: gm1.example", `ks.yaml:5:13: phase1.identity: "gm1.example" is no identity; write one such as fqdn:gm1.example`},
	{"a user without a host", "identity: user-fqdn:gm1", `phase1.identity: "gm1" is no name of this kind`},
	{"a host with a user", "identity: fqdn:a@b", `phase1.identity: "a@b" is no name of this kind`},
	{"no address", "identity: address:300.0.0.1", `phase1.identity: "300.0.0.1" is no address`},
	{"no distinguished name", "identity: dn:gm1", `phase1.identity: "gm1" is no distinguished name`},
	{"parts of a subject claimed", "identity: subject:OU=Routers", "phase1.identity: nobody claims parts of a subject"},
	{"no peers", "peers: []", "phase1.peers: the list is empty; name at least one identity"},
	{"hexadecimal of no octets", "identity: 'key-id:hex:0'", `phase1.identity: after "hex:" an even number`},
}

func TestAuthenticationFaults(t *testing.T) {
	open := certificateFiles(t)
	for _, f := range authFaults {
		text := strings.Replace(keyServerYAML, "psks:\n    - peer: 10.0.0.0/24\n      key: secret\n", f.phase1+"\n", 1)
		_, err := policy.ParseKeyServer("ks.yaml", []byte(text), open)
		if err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: %v\nwant %s", f.name, err, f.want)
		}
	}
	_, err := policy.ParseKeyServer("ks.yaml", []byte(strings.Replace(keyServerYAML, "[10.0.0.2]", "[10.0.0.2, 'fqdn:']", 1)), open)
	if err == nil || !strings.Contains(err.Error(), `ks.yaml:11:25: groups[0].members[1]: "" is no name of this kind`) {
		t.Errorf("a member without a name: %v", err)
	}
}

// certificateFiles are the files that authFaults name.
func certificateFiles(t testing.TB) policy.ReadFile {
	c, other := certified(t), pki.ECDSA(elliptic.P256(), "other")
	otherKey, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	block := func(typ string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}) }
	files := map[string][]byte{
		"c.pem": block("CERTIFICATE", c.Chain[0]), "short.pem": block("CERTIFICATE", c.Chain[0][:100]), "p256.pem": block("PRIVATE KEY", c.Key),
		"other.pem": block("PRIVATE KEY", otherKey), "ks1cert.pem": block("CERTIFICATE", pki.Root("root").Issue(pki.RSA("ks1"), pki.Subject{CN: "ks"})),
	}
	keys := keys(t)
	return func(name string) ([]byte, error) {
		if data, ok := files[name]; ok {
			return data, nil
		}
		if name == "none.pem" {
			return nil, fs.ErrNotExist
		}
		return keys(name)
	}
}

// Methods need what they sign with.
func TestCheckProposalsOfSignatures(t *testing.T) {
	signing := policy.DefaultProposal
	signing.Authentication = policy.AuthECDSA256
	c := certified(t)
	for name, p := range map[string]struct {
		certificates policy.Certificates
		right        bool
	}{
		"all":                {c, true},
		"nothing":            {policy.Certificates{}, false},
		"no anchor":          {policy.Certificates{Chain: c.Chain, Key: c.Key}, false},
		"no key":             {policy.Certificates{Chain: c.Chain, Anchors: c.Anchors}, false},
		"another key":        {policy.Certificates{Chain: c.Chain[1:], Key: c.Key, Anchors: c.Anchors}, false},
		"a broken CRL":       {policy.Certificates{Chain: c.Chain, Key: c.Key, Anchors: c.Anchors, CRLs: [][]byte{{1}}}, false},
		"a broken chain":     {policy.Certificates{Chain: [][]byte{{1}}, Key: c.Key, Anchors: c.Anchors}, false},
		"a broken anchor":    {policy.Certificates{Chain: c.Chain, Key: c.Key, Anchors: [][]byte{{1}}}, false},
		"a broken peer":      {policy.Certificates{Chain: c.Chain, Key: c.Key, Anchors: c.Anchors, Known: [][]byte{{1}}}, false},
		"a key that is none": {policy.Certificates{Chain: c.Chain, Key: []byte{1}, Anchors: c.Anchors}, false},
	} {
		err := policy.Phase1{Proposals: []policy.Proposal{signing}, Certificates: p.certificates}.CheckProposals()
		if (err == nil) != p.right {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What can be read of PEM can be read again once it has been written; nothing else is taken.
func FuzzCertificates(f *testing.F) {
	c := certified(f)
	for typ, der := range map[string][]byte{"CERTIFICATE": c.Chain[0], "X509 CRL": c.CRLs[0], "PRIVATE KEY": c.Key} {
		f.Add(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all := policy.Certificates{}
		all.Chain, _ = policy.DecodeCertificates(text)
		all.CRLs, _ = policy.DecodeCRLs(text)
		if _, err := all.Credentials(); err != nil {
			t.Errorf("what was decoded cannot be read: %v", err)
		}
	})
}

// What is a name in DER is one name in words, and no other.
func FuzzName(f *testing.F) {
	for _, name := range []string{"CN=gm1", "CN=gm1,OU=Routers,O=example,C=CH"} {
		der, err := policy.EncodeName(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		name := policy.DecodeName(der)
		if name == "" {
			return
		}
		if again, err := policy.EncodeName(name); err == nil && !policy.SameName(der, again) {
			t.Errorf("%x is %s, which is %x", der, name, again)
		}
		_ = policy.SubjectParts(der)
	})
}
