package driver

import (
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// OfKeyServer makes what a driver is told of a key server's policy. The document holds everything, also the signing key.
func OfKeyServer(k policy.KeyServer) (Policy, Credentials, error) {
	c := credentials(k.Phase1)
	c.SigningKey = string(policy.SigningKeyPEM(k))
	text, err := policy.MarshalKeyServer(k, c.SigningKey)
	return neutral(rule.KS, text, c, err)
}

// OfMember makes what a driver is told of a member's policy.
func OfMember(m policy.Member) (Policy, Credentials, error) {
	text, err := policy.MarshalMember(m)
	return neutral(rule.GM, text, credentials(m.Phase1), err)
}

// neutral turns a document in YAML into one in JSON.
func neutral(role rule.Role, text []byte, c Credentials, err error) (Policy, Credentials, error) {
	if err != nil {
		return Policy{}, c, err
	}
	document, err := yaml.YAMLToJSON(text)
	if err != nil {
		return Policy{}, c, fmt.Errorf("driver: policy of a %s: %w", role, err)
	}
	return Policy{Role: role.String(), Document: document}, c, nil
}

func credentials(p policy.Phase1) Credentials {
	c := Credentials{
		Certificate: blocks("CERTIFICATE", p.Certificates.Chain...), Anchors: blocks("CERTIFICATE", p.Certificates.Anchors...),
		CRLs: blocks("X509 CRL", p.Certificates.CRLs...),
	}
	if len(p.Certificates.Key) > 0 {
		c.PrivateKey = blocks("PRIVATE KEY", p.Certificates.Key)
	}
	for _, psk := range p.PSKs {
		one := PSK{Key: psk.Key}
		if psk.Peer.IsValid() {
			one.Peer = psk.Peer.String()
		}
		if psk.Identity != (policy.Identity{}) {
			one.Identity = psk.Identity.String()
		}
		c.PSKs = append(c.PSKs, one)
	}
	return c
}

func blocks(typ string, ders ...[]byte) string {
	var b strings.Builder
	for _, der := range ders {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
	}
	return b.String()
}
