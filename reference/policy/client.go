package policy

import "slices"

// Limits of profile getvpn.
const (
	MostTransformSets = 6 // that a member names (GETVPN-ALGO-03)
	MostKeyServers    = 8 // that it can ask (GETVPN-REG-19)
)

// Client says what a member of profile getvpn takes of what its key server offers. An empty list takes all that the member can do.
type Client struct {
	Ciphers    []KEKTransform // of the KEK
	Hashes     []SigHash      // of the signatures of rekeys
	Transforms []Transform    // of Data-Security SAs, by their algorithms alone
}

// Limits reports whether there is anything that it does not take.
func (c Client) Limits() bool { return len(c.Ciphers)+len(c.Hashes)+len(c.Transforms) > 0 }

// TakesCipher reports whether rekeys may be encrypted so.
func (c Client) TakesCipher(t KEKTransform) bool {
	return len(c.Ciphers) == 0 || slices.Contains(c.Ciphers, t)
}

// TakesHash reports whether signatures of rekeys may be made with that hash.
func (c Client) TakesHash(h SigHash) bool { return len(c.Hashes) == 0 || slices.Contains(c.Hashes, h) }

// TakesTransform reports whether an SA may have these algorithms.
func (c Client) TakesTransform(t Transform) bool {
	return len(c.Transforms) == 0 || slices.ContainsFunc(c.Transforms, func(have Transform) bool { return have.Name() == t.Name() })
}
