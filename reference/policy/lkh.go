package policy

// Management is the KEK_MANAGEMENT_ALGORITHM of RFC 6407 §5.3.1: how members can be excluded.
type Management uint16

// The ways of managing a KEK. Without one, everybody who has the KEK learns the next one.
const (
	ManagementNone Management = 0
	ManagementLKH  Management = 1
)

// MostUpdates is how many updates of a hierarchy go into one datagram, however high the tree is: of sixteen keys each, in 1040
// octets, with room for the SAs.
const MostUpdates = 48

// LKH is what a Rekey SA has besides, if its KEK is the root of a Logical Key Hierarchy (RFC 6407 §5.6.3).
type LKH struct {
	Path    []LKHKey    // the keys of one member from its leaf to the root, which is the KEK; when it registers
	Updates []LKHUpdate // the new keys for those who have others of the hierarchy; by PUSH
}

// LKHKey is one key of a hierarchy (RFC 6407 §5.6.3.1).
type LKHKey struct {
	ID     uint16 // its place
	Handle uint32 // tells it from those that had the place before
	Data   []byte // IV, then key, as in KEK_ALGORITHM_KEY; in an update encrypted as a whole
}

// LKHUpdate brings new keys to those who have a key of the hierarchy. Each is encrypted under the one before it, the first
// under the key that ID and Handle name, and the last is the KEK (RFC 6407 §5.6.3.2).
type LKHUpdate struct {
	ID     uint16
	Handle uint32
	Keys   []LKHKey
}

// LKH reports whether acknowledgements of that type are keyed by the hierarchy (RFC 8263 §2.2, §2.4).
func (t AckType) LKH() bool { return t == AckLKHSHA256 || t == AckLKHSHA512 }
