package capturetest

import (
	"crypto"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The addresses of the conversation.
var (
	KS    = netip.MustParseAddr("192.0.2.1")
	GM1   = netip.MustParseAddr("192.0.2.11")
	GM2   = netip.MustParseAddr("192.0.2.12")
	Group = netip.MustParseAddr("239.192.0.1") // of PUSH messages
	Host1 = netip.MustParseAddr("10.1.0.10")   // behind GM1
	Host2 = netip.MustParseAddr("10.2.0.10")   // behind GM2
)

// GroupID is the number of the group.
const GroupID = 1001

// Start is the time of the first frame.
var Start = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)

// Talk is a conversation that grows. It panics on mistakes of the test that uses it.
type Talk struct {
	Frames []capture.Frame
	Keys   []keylog.Entry
	Now    time.Time

	rand     io.Reader
	signer   crypto.Signer
	Rekey    policy.RekeySA
	Sequence uint32 // of the last PUSH
	SAs      []policy.TrafficSA

	FirstSequence uint64 // of the senders made from now on; 0 means 1
	ipID          uint16

	// Proof makes what stands behind the identity of Main Mode 5 instead of HASH_I, which hash gives; nil: HASH_I.
	Proof func(hash func(keymat.Hash) []byte) []isakmp.Payload
}

// New begins a conversation; the same seed makes the same octets. cipher is that of the group's traffic.
func New(seed string, cipher policy.Cipher) *Talk {
	t := &Talk{Now: Start, rand: keymat.Seeded(seed, "capturetest"), signer: signer("ks1")}
	public, err := keymat.MarshalPublicKey(t.signer.Public())
	must(err)
	t.Rekey = policy.RekeySA{Source: netip.AddrPortFrom(KS, 848), Destination: netip.AddrPortFrom(Group, 848), Cipher: policy.KEKAES,
		KeyBits: 128, SigHash: policy.SigHashSHA256, SigAlgorithm: policy.SigRSA, SigKeyBits: 2048, Ack: policy.AckKEKSHA256,
		Lifetime: 24 * time.Hour, IV: t.bytes(16), Key: t.bytes(16), PublicKey: public}
	copy(t.Rekey.SPI[:], t.bytes(16))
	t.log("KS", &core.Secret{Group: GroupID, Rekey: &t.Rekey})
	t.NewTEK(cipher)
	return t
}

// NewRekey makes the Rekey SA one of another cipher and of signatures with another test key.
func (t *Talk) NewRekey(kek policy.KEKTransform, key string, change func(*policy.RekeySA)) {
	t.signer = signer(key)
	public, err := keymat.MarshalPublicKey(t.signer.Public())
	must(err)
	r := &t.Rekey
	r.Cipher, r.KeyBits = kek.Cipher, kek.KeyBits
	r.IV, r.Key = t.bytes(gdoimap.CipherOf(*r).BlockSize()), t.bytes(kek.KeyBits/8)
	r.PublicKey = public
	r.SigAlgorithm, r.SigKeyBits, _ = policy.SignatureOf(t.signer.Public())
	r.SigHash = max(r.SigAlgorithm.Hash(), policy.SigHashSHA256)
	change(r)
	copy(r.SPI[:], t.bytes(16))
	t.log("KS", &core.Secret{Group: GroupID, Rekey: r})
}

// NewTEK adds a Data-Security SA for all traffic between the hosts.
func (t *Talk) NewTEK(cipher policy.Cipher) *policy.TrafficSA {
	transform := policy.Transform{Cipher: cipher, KeyBits: 128}
	if cipher == policy.CipherAESCBC {
		transform.Integrity = policy.IntegrityHMACSHA256
	}
	return t.NewTransform(transform)
}

// NewTransform is NewTEK with any algorithms.
func (t *Talk) NewTransform(transform policy.Transform) *policy.TrafficSA {
	transform.Mode, transform.Preservation = policy.ModeTunnel, policy.PreserveBoth
	sa := policy.TrafficSA{SPI: 0x10000000 | uint32(t.bytes(1)[0])<<8 | uint32(len(t.SAs)+1), Lifetime: time.Hour,
		Selector:  policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("10.0.0.0/8")},
		Transform: transform}
	sa.CipherKey, sa.IntegrityKey = t.bytes(transform.CipherKeyLen()), t.bytes(transform.IntegrityKeyLen())
	t.SAs = append(t.SAs, sa)
	t.log("KS", &core.Secret{Group: GroupID, Traffic: &sa})
	return &t.SAs[len(t.SAs)-1]
}

// Wait lets time pass.
func (t *Talk) Wait(d time.Duration) { t.Now = t.Now.Add(d) }

// Last is the frame that was added last, to be altered.
func (t *Talk) Last() *capture.Frame { return &t.Frames[len(t.Frames)-1] }

// Again adds a copy of frame n, counted from 1, as if it had been sent again.
func (t *Talk) Again(n int) {
	t.Wait(time.Millisecond)
	f := t.Frames[n-1]
	f.At, f.Note = t.Now, ""
	t.Frames = append(t.Frames, f)
}

func (t *Talk) log(node string, s *core.Secret) {
	t.Keys = append(t.Keys, keylog.Of(node, t.Now, s)...)
}

func (t *Talk) bytes(n int) []byte {
	b := make([]byte, n)
	_, err := io.ReadFull(t.rand, b)
	must(err)
	return b
}

// signer is one of the test keys.
func signer(name string) crypto.Signer {
	text, err := fixtures.FS.ReadFile("keys/" + name + ".pem")
	must(err)
	der, err := policy.DecodeSigningKey(text)
	must(err)
	key, err := policy.ParseSigningKey(der)
	must(err)
	return key
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
