package iosconfig

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// port is that of GDOI.
const port = 848

// ParseKeyServer makes a key server's configuration. The name stands in errors, which are yamldoc.Problems. Warnings are of
// what is read otherwise than it stands there and, if the options ask for that, of what has no effect.
func ParseKeyServer(name string, data []byte, o Options) (policy.KeyServer, yamldoc.Problems, error) {
	r := newReader(name, o)
	r.read(data)
	k := r.keyServer()
	warnings, err := r.end()
	if err != nil {
		return policy.KeyServer{}, warnings, err
	}
	// What is wrong with the whole is found as in YAML.
	doc, err := policy.MarshalKeyServer(k, signingFile)
	if err == nil {
		_, err = policy.ParseKeyServer(name, doc, func(path string) ([]byte, error) {
			if path != signingFile {
				return nil, fs.ErrNotExist
			}
			return policy.SigningKeyPEM(k), nil
		})
	}
	return k, warnings, placeless(name, err)
}

// signingFile stands for the signing key, which has been read.
const signingFile = "signing-key"

// ParseMember makes a group member's configuration; see ParseKeyServer.
func ParseMember(name string, data []byte, o Options) (policy.Member, yamldoc.Problems, error) {
	r := newReader(name, o)
	r.read(data)
	m := r.member()
	warnings, err := r.end()
	if err != nil {
		return policy.Member{}, warnings, err
	}
	doc, err := policy.MarshalMember(m)
	if err == nil {
		_, err = policy.ParseMember(name, doc)
	}
	return m, warnings, placeless(name, err)
}

// placeless takes the places out of problems, which are those of a text that nobody has written.
func placeless(name string, err error) error {
	var problems yamldoc.Problems
	if !errors.As(err, &problems) {
		return err
	}
	for i := range problems {
		problems[i].File, problems[i].Line, problems[i].Column = name, 0, 0
	}
	return problems
}

func newReader(name string, o Options) *reader {
	if o.Open == nil {
		o.Open = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	return &reader{file: name, opts: o, doc: document{
		transforms: make(map[string]*transformSet), profiles: make(map[string]*ipsecProfile), acls: make(map[string]*acl),
		identities: make(map[string]*cryptoIdentity), failClose: make(map[string]*failClose), local: make(map[string]string),
		hosts: make(map[string]netip.Addr),
	}}
}

// top is a place for what is missing in the file as a whole.
var top = line{no: 1}

// phase1 is what key servers and members have alike.
func (r *reader) phase1() policy.Phase1 {
	p := policy.Phase1{PSKs: r.doc.keys, DPD: r.doc.dpd}
	slices.SortStableFunc(r.doc.policies, func(a, b *isakmpPolicy) int { return cmp.Compare(a.priority, b.priority) })
	for _, i := range r.doc.policies {
		if !i.encr {
			r.problem(i.at, "the ISAKMP policy %d has no encr, and the DES that routers take then is not known here", i.priority)
			continue
		}
		p.Proposals = append(p.Proposals, i.proposal)
		p.AllowWeak = p.AllowWeak || i.proposal.Weak()
		p.Lifetime = orElse(p.Lifetime, i.lifetime)
		if i.proposal.Authentication.Signs() && !p.Certificates.Set() {
			p.Certificates = r.certificates(i.at)
		}
	}
	if len(r.doc.policies) == 0 {
		r.problem(top, "there is no \"crypto isakmp policy\"")
	}
	switch r.doc.identity {
	case "hostname":
		p.Identity = policy.Identity{Kind: policy.IdentityFQDN, Value: r.doc.hostname}
	case "dn":
		p.Identity = r.subject(p.Certificates)
	}
	return p
}

// subject is the identity that a certificate names.
func (r *reader) subject(c policy.Certificates) policy.Identity {
	if len(c.Chain) == 0 {
		r.problem(top, "\"crypto isakmp identity dn\" is the subject of a certificate, and no ISAKMP policy has one")
		return policy.Identity{}
	}
	own, err := x509.ParseCertificate(c.Chain[0])
	if err != nil {
		r.problem(top, "the certificate of the trustpoint %s: %v", r.doc.trustpoint, err)
		return policy.Identity{}
	}
	return policy.Identity{Kind: policy.IdentityDN, Value: policy.DecodeName(own.RawSubject)}
}

// certificates are those of the trustpoint.
func (r *reader) certificates(l line) (c policy.Certificates) {
	if r.doc.trustpoint == "" {
		r.problem(l, "Phase 1 is checked with signatures, and there is no \"crypto pki trustpoint\"")
		return c
	}
	c.Chain = r.pem(l, "-chain.pem", policy.DecodeCertificates)
	c.Anchors = r.pem(l, "-ca.pem", policy.DecodeCertificates)
	if data, err := r.opts.Open(r.doc.trustpoint + "-key.pem"); err != nil {
		r.problem(l, "the key of the trustpoint %s cannot be read: %v", r.doc.trustpoint, err)
	} else if c.Key, err = policy.DecodeSigningKey(data); err != nil {
		r.problem(l, "%q %v", r.doc.trustpoint+"-key.pem", err)
	}
	return c
}

func (r *reader) pem(l line, suffix string, decode func([]byte) ([][]byte, error)) [][]byte {
	name := r.doc.trustpoint + suffix
	data, err := r.opts.Open(name)
	if err != nil {
		r.problem(l, "the trustpoint %s needs the file %s: %v", r.doc.trustpoint, name, err)
		return nil
	}
	all, err := decode(data)
	if err != nil {
		r.problem(l, "%q %v", name, err)
	}
	return all
}

func (r *reader) console() policy.Console {
	return policy.Console{Enable: r.doc.enable, Users: r.doc.users}
}

// name is what the node is called.
func (r *reader) name() string {
	if r.doc.hostname == "" {
		r.problem(top, "there is no \"hostname\"")
	}
	return r.doc.hostname
}

// entries are those of a list that a line refers to.
func (r *reader) entries(l line, name string) []policy.ACE {
	list := r.doc.acls[name]
	if list == nil {
		r.problem(l, "there is no access list %s", name)
		return nil
	}
	return list.entries
}

// named finds an interface.
func (r *reader) named(l line, name string) *netInterface {
	for _, i := range r.doc.interfaces {
		if strings.EqualFold(i.name, name) {
			return i
		}
	}
	r.problem(l, "there is no interface %s", name)
	return nil
}

func at(a netip.Addr) netip.AddrPort {
	if !a.IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, port)
}

// label is a group in a problem.
func label(g *gdoiGroup) string { return fmt.Sprintf("the group %s", g.name) }
