package policy

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// pemPrefix is what PEM begins with that stands in a configuration itself, instead of the name of a file.
const pemPrefix = "-----BEGIN "

func certificatesOf(open ReadFile) func(yamldoc.Value) Certificates {
	return func(v yamldoc.Value) Certificates {
		var c Certificates
		complete := v.Fields(
			yamldoc.Required("chain", &c.Chain, pemOf(open, DecodeCertificates)),
			yamldoc.Required("key", &c.Key, pemOf(open, DecodeSigningKey)),
			yamldoc.Required("anchors", &c.Anchors, pemOf(open, DecodeCertificates)),
			yamldoc.Optional("crls", &c.CRLs, pemOf(open, DecodeCRLs)),
			yamldoc.Optional("known", &c.Known, pemOf(open, DecodeCertificates)),
		)
		all, err := c.Credentials()
		if err == nil {
			err = all.matching()
		}
		if complete && err != nil {
			v.Problem("%v", err)
		}
		return c
	}
}

// pemOf makes a reader of PEM, which stands in the configuration itself or in a file that it names.
func pemOf[T any](open ReadFile, decode func([]byte) (T, error)) func(yamldoc.Value) T {
	return func(v yamldoc.Value) (none T) {
		s, ok := v.Text()
		if !ok {
			return none
		}
		data, what := []byte(s), "the PEM"
		if !strings.HasPrefix(s, pemPrefix) {
			if data, ok = readFile(v, s, open); !ok {
				return none
			}
			what = brief(s)
		}
		value, err := decode(data)
		if err != nil {
			v.Problem("%s %v", what, err)
			return none
		}
		return value
	}
}

func readFile(v yamldoc.Value, path string, open ReadFile) ([]byte, bool) {
	data, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		v.Problem("there is no file %q; name one of PEM, relative to this file", path)
		return nil, false
	}
	if err != nil {
		v.Problem("%v", err)
		return nil, false
	}
	return data, true
}

// claimed reads an identity that a peer claims in Phase 1.
func claimed(v yamldoc.Value) Identity {
	i := identity(v)
	if i.Kind == IdentitySubject {
		v.Problem("nobody claims parts of a subject; write dn: and the whole name")
		return Identity{}
	}
	return i
}

func identity(v yamldoc.Value) Identity {
	s, ok := v.Text()
	if !ok {
		return Identity{}
	}
	i, err := ParseIdentity(s)
	if err != nil {
		v.Problem("%v", err)
		return Identity{}
	}
	return i
}

// groupMembers reads who may join a group: networks, identities, and parts of the subjects of certificates.
func groupMembers(v yamldoc.Value) (networks []netip.Prefix, identities []Identity) {
	v.Items(func(_ int, item yamldoc.Value) {
		if item.IsText() {
			if s, _ := item.Text(); isIdentity(s) {
				identities = append(identities, identity(item))
				return
			}
		}
		networks = append(networks, network(item))
	})
	return networks, identities
}
