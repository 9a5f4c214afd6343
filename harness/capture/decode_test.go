package capture_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// conversation is a registration, a packet of the group, a rekey and its acknowledgement.
func conversation(cipher policy.Cipher) *capturetest.Talk {
	talk := capturetest.New("conversation", cipher)
	talk.Register(capturetest.GM1, 1)
	talk.Sender(1).Send(capturetest.Host1, capturetest.Host2, 7)
	talk.Push()
	talk.Ack(capturetest.GM1)
	talk.Echo("lan1", capturetest.Host1, capturetest.Host2, 8)
	return talk
}

// line is a message as the tests below compare it: kind, summary, checks, error.
func line(m capture.Message) string {
	parts := []string{m.Kind, m.Summary}
	for _, c := range m.Checks {
		parts = append(parts, c.String())
	}
	if m.Err != "" {
		parts = append(parts, "error "+m.Err)
	}
	return strings.Join(parts, " | ")
}

func expect(t *testing.T, got []capture.Message, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d messages, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if l := line(got[i]); l != want[i] {
			t.Errorf("frame %d:\n got %s\nwant %s", i+1, l, want[i])
		}
	}
}

func TestDecodeConversation(t *testing.T) {
	for name, cipher := range map[string]policy.Cipher{"GCM": policy.CipherAESGCM16, "CBC": policy.CipherAESCBC} {
		t.Run(name, func(t *testing.T) {
			talk := conversation(cipher)
			got := capture.Decode(talk.Frames, talk.Keys)
			expect(t, got,
				"MM1 | HDR, SA",
				"MM2 | HDR, SA",
				"MM3 | HDR, KE, Ni",
				"MM4 | HDR, KE, Nr",
				"MM5 | HDR*, IDii, HASH_I | HASH_I: ok",
				"MM6 | HDR*, IDir, HASH_R | HASH_R: ok",
				"PULL1 | HDR*, HASH(1), Ni, ID | HASH(1): ok",
				"PULL2 | HDR*, HASH(2), Nr, SA {SAK, GAP, SAT} | HASH(2): ok",
				"PULL3 | HDR*, HASH(3) | HASH(3): ok",
				"PULL4 | HDR*, HASH(4), SEQ 0, KD | HASH(4): ok",
				fmt.Sprintf("ESP | SPI %08x seq 1, 10.1.0.10 -> 10.2.0.10 ICMP echo request id 7 seq 7 | ICV: ok", talk.SAs[0].SPI),
				"PUSH | HDR*, SEQ 1, SA {GAP, SAT}, KD, SIG | SIG: ok",
				"PUSH-ACK | HDR, HASH, SEQ 1, ID | ACK HASH: ok",
				"clear | ICMP echo request id 7 seq 8",
			)
			for i, m := range got {
				if m.Frame != i+1 || !m.At.Equal(talk.Frames[i].At) || m.Link != talk.Frames[i].Link || m.Encrypted != m.Decrypted {
					t.Errorf("%+v", m)
				}
			}
		})
	}
}

func TestDecodeWithoutKeys(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	got := capture.Decode(talk.Frames, nil)
	expect(t, got,
		"MM1 | HDR, SA",
		"MM2 | HDR, SA",
		"MM3 | HDR, KE, Ni",
		"MM4 | HDR, KE, Nr",
		"MM5 | HDR*, encrypted | HASH_I: unchecked (not decrypted)",
		"MM6 | HDR*, encrypted | HASH_R: unchecked (not decrypted)",
		"PULL1 | HDR*, encrypted | HASH(1): unchecked (not decrypted)",
		"PULL2 | HDR*, encrypted | HASH(2): unchecked (not decrypted)",
		"PULL3 | HDR*, encrypted | HASH(3): unchecked (not decrypted)",
		"PULL4 | HDR*, encrypted | HASH(4): unchecked (not decrypted)",
		fmt.Sprintf("ESP | SPI %08x seq 1 | ICV: unchecked (no key of that SPI)", talk.SAs[0].SPI),
		"PUSH | HDR*, encrypted | SIG: unchecked (not decrypted)",
		"PUSH-ACK | HDR, HASH, SEQ 1, ID | ACK HASH: unchecked (no key of that Rekey SA)",
		"clear | ICMP echo request id 7 seq 8",
	)
	for _, m := range got {
		if m.Decrypted {
			t.Errorf("frame %d is said to be decrypted", m.Frame)
		}
	}
}

// Keys that no cipher takes leave messages closed, they do not stop the decoder.
func TestDecodeWithBrokenKeys(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	for _, breakKey := range []func(*keylog.Entry){
		func(k *keylog.Entry) { k.CipherKey, k.Key = "zz", "zz" },
		func(k *keylog.Entry) { k.CipherKey, k.Key = "00", "00" },
		func(k *keylog.Entry) { k.FirstIV, k.IV, k.SKEYID = "", "", "" },
		func(k *keylog.Entry) { k.SPI, k.CookieI = "x", "x" },
		func(k *keylog.Entry) { k.KeyBits, k.Cipher, k.PublicKey = -1, -1, "00" },
	} {
		keys := slices.Clone(talk.Keys)
		for i := range keys {
			breakKey(&keys[i])
		}
		if got := capture.Decode(talk.Frames, keys); len(got) != len(talk.Frames) {
			t.Errorf("%d messages", len(got))
		}
		// Among good keys broken ones do no harm.
		good := capture.Decode(talk.Frames, append(keys, talk.Keys...))
		for _, m := range good {
			if m.Encrypted && !m.Decrypted {
				t.Errorf("frame %d stays closed: %s", m.Frame, line(m))
			}
		}
	}
}

// frame numbers of the conversation.
const (
	mm5 = 5 + iota
	mm6
	pull1
	pull2
	pull3
	pull4
	espFrame
	pushFrame
	ackFrame
)

// flip alters one bit of the datagram of a frame; a negative offset counts from its end.
func flip(f *capture.Frame, offset int) {
	f.Packet = slices.Clone(f.Packet)
	if offset < 0 {
		f.Packet[len(f.Packet)+offset] ^= 1
		return
	}
	f.Packet[28+offset] ^= 1
}

func TestDecodeAltered(t *testing.T) {
	for name, test := range map[string]struct {
		frame, offset int
		want          string
	}{
		"HASH_I":                    {mm5, -1, "HASH_I: bad"},
		"HASH_R":                    {mm6, -1, "HASH_R: bad"},
		"HASH(1), the group":        {pull1, -16, "HASH(1): bad"},
		"HASH(2), the nonce":        {pull2, 80, "HASH(2): bad"},
		"HASH(3)":                   {pull3, 44, "HASH(3): bad"},
		"HASH(4), the public key":   {pull4, 200, "HASH(4): bad"},
		"SIG, the signature":        {pushFrame, -40, "SIG: bad"},
		"SIG, the Message ID":       {pushFrame, 23, "SIG: bad"},
		"ACK HASH, the sequence":    {ackFrame, 28 + 36 + 7, "ACK HASH: bad"},
		"ACK HASH, the hash itself": {ackFrame, 28 + 5, "ACK HASH: bad"},
		"ICV, the cipher text":      {espFrame, 0, "ICV: bad"},
		"ICV, the ICV":              {espFrame, -1, "ICV: bad"},
	} {
		t.Run(name, func(t *testing.T) {
			talk := conversation(policy.CipherAESGCM16)
			flip(&talk.Frames[test.frame-1], test.offset)
			got := capture.Decode(talk.Frames, talk.Keys)
			m := got[test.frame-1]
			if len(m.Checks) != 1 || !strings.HasPrefix(m.Checks[0].String(), test.want) || m.Checks[0].Detail == "" {
				t.Errorf("%s, want %s and why", line(m), test.want)
			}
		})
	}
}

// What is lost, sent again or forged does not close what comes after it.
func TestDecodeDisorder(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	frames := talk.Frames
	forged := frames[pull3-1]
	flip(&forged, 50)
	again := func(n int) capture.Frame { return frames[n-1] }
	disorder := []capture.Frame{again(1), again(1), again(2), again(3), again(3), again(4), again(mm5), again(mm5), again(mm6), again(mm5), again(mm6),
		again(pull1), again(pull1), again(pull2), forged, again(pull3), again(pull2), again(pull4), again(pull4)}
	got := capture.Decode(disorder, talk.Keys)
	for i, m := range got {
		wrong := i == 14 // the forged one
		if ok := len(m.Checks) == 0 || m.Checks[0].Result == capture.OK; ok == wrong {
			t.Errorf("message %d: %s", i+1, line(m))
		}
	}
	var repeats []int
	for _, m := range got {
		repeats = append(repeats, m.Repeats)
	}
	if want := []int{0, 1, 0, 0, 4, 0, 0, 7, 0, 7, 9, 0, 12, 0, 0, 0, 14, 0, 18}; !slices.Equal(repeats, want) {
		t.Errorf("repeats %v, want %v", repeats, want)
	}
	lost := slices.Delete(slices.Clone(frames), pull2-1, pull2)
	late := capture.Decode(lost, talk.Keys)
	if m := late[pushFrame-2]; m.Kind != "PUSH" || m.Checks[0].Result != capture.OK {
		t.Errorf("after a lost message: %s", line(m))
	}
}

// A capture that begins late shows what it can and says what is missing.
func TestDecodeLateBeginning(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	got := capture.Decode(talk.Frames[mm5-1:], talk.Keys)
	expect(t, got[:4],
		"MM5 | HDR*, IDii, HASH_I | HASH_I: unchecked (the capture lacks an earlier message of Phase 1)",
		"MM6 | HDR*, IDir, HASH_R | HASH_R: unchecked (the capture lacks an earlier message of Phase 1)",
		"PULL1 | HDR*, HASH(1), Ni, ID | HASH(1): ok",
		"PULL2 | HDR*, HASH(2), Nr, SA {SAK, GAP, SAT} | HASH(2): ok")
	got = capture.Decode(talk.Frames[1:4], talk.Keys)
	expect(t, got, "MM2 | HDR, SA", "MM3 | HDR, KE, Ni", "MM4 | HDR, KE, Nr")
}

// Two registrations at the same time, and a second PULL under the same Phase 1, keep their IV chains apart.
func TestDecodeSeveral(t *testing.T) {
	talk := capturetest.New("several", policy.CipherAESGCM16)
	one, two := talk.MainMode(capturetest.GM1), talk.MainMode(capturetest.GM2)
	one.Pull(1)
	two.Pull(2)
	one.Pull(3)
	one.Inform(true, isakmp.Delete{DOI: gdoi.DOI, Protocol: 1, SPISize: 4, SPIs: [][]byte{{0, 0, 0, 0}}})
	two.Inform(false, isakmp.Notify{DOI: gdoi.DOI, Protocol: isakmp.ProtoISAKMP, NotifyType: isakmp.NotifyInvalidIDInformation})
	got := capture.Decode(talk.Frames, talk.Keys)
	for _, m := range got {
		if len(m.Checks) > 0 && m.Checks[0].Result != capture.OK || m.Err != "" {
			t.Errorf("frame %d: %s", m.Frame, line(m))
		}
	}
	expect(t, got[len(got)-2:],
		"INFO | HDR*, HASH(1), D ESP all | HASH(1): ok",
		"INFO | HDR*, HASH(1), N INVALID-ID-INFORMATION | HASH(1): ok")
}

// phase1Suites have every cipher and hash of Phase 1, and groups of both kinds.
var phase1Suites = []policy.Proposal{
	policy.DefaultProposal,
	{Encryption: policy.Phase1AES, KeyBits: 192, Hash: policy.Phase1MD5, Group: policy.ECP256},
	{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA1, Group: policy.ECP384},
	{Encryption: policy.Phase1AES, KeyBits: 192, Hash: policy.Phase1SHA384, Group: policy.ECP521},
	{Encryption: policy.Phase13DES, Hash: policy.Phase1MD5, Group: policy.MODP768},
	{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.ECP256},
	{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA512, Group: policy.MODP1536},
}

// A registration opens and proves itself under every algorithm of Phase 1, and two under different ones side by side.
func TestDecodeUnderEveryAlgorithm(t *testing.T) {
	for _, o := range phase1Suites {
		t.Run(o.String(), func(t *testing.T) {
			talk := capturetest.New("algorithms", policy.CipherAESGCM16)
			one, two := talk.MainModeUnder(capturetest.GM1, o), talk.MainMode(capturetest.GM2)
			one.Pull(1)
			two.Pull(2)
			one.Inform(false, isakmp.Notify{DOI: gdoi.DOI, Protocol: isakmp.ProtoISAKMP, NotifyType: isakmp.NotifyInvalidIDInformation})
			got := capture.Decode(talk.Frames, talk.Keys)
			proven := 0
			for _, m := range got {
				for _, c := range m.Checks {
					if proven++; c.Result != capture.OK || m.Err != "" {
						t.Errorf("frame %d: %s", m.Frame, line(m))
					}
				}
			}
			if proven != 2*(2+4)+1 {
				t.Errorf("%d messages are proven", proven)
			}
		})
	}
}

// A key server that signs over the length after padding is told apart, not refused (RFC 6407 leaves it open).
func TestDecodePushVariants(t *testing.T) {
	talk := capturetest.New("push", policy.CipherAESGCM16)
	d := isakmp.Delete{DOI: gdoi.DOI, Protocol: 1, SPISize: 4, SPIs: [][]byte{{1, 2, 3, 4}}}
	talk.PushPayloads(gdoi.SEQ{Number: 1}, d)
	talk.PushPadded(gdoi.SEQ{Number: 2}, d)
	talk.PushPayloads(d)
	expect(t, capture.Decode(talk.Frames, talk.Keys),
		"PUSH | HDR*, SEQ 1, D ESP, SIG | SIG: ok",
		"PUSH | HDR*, SEQ 2, D ESP, SIG | SIG: ok (with the length after padding)",
		"PUSH | HDR*, D ESP, SIG | SIG: ok")
}

// Key management is found on other ports by its cookies, and behind the marker of NAT traversal.
func TestDecodePorts(t *testing.T) {
	talk := capturetest.New("ports", policy.CipherAESGCM16)
	talk.Push()
	message := talk.Frames[0].Packet[28:]
	odd, natt := netip.MustParseAddrPort("192.0.2.1:7777"), netip.MustParseAddrPort("192.0.2.1:4500")
	marked := append(make([]byte, 4), message...)
	talk.UDP(odd, odd, message)
	talk.UDP(natt, natt, marked)
	talk.UDP(netip.MustParseAddrPort("192.0.2.1:848"), odd, marked)
	talk.Sender(1).Send(capturetest.Host1, capturetest.Host2, 1)
	talk.UDP(natt, natt, talk.Last().Packet[20:])
	talk.UDP(natt, natt, []byte{0xff})
	talk.UDP(odd, odd, []byte("something else"))
	push := "PUSH | HDR*, SEQ 1, SA {GAP, SAT}, KD, SIG | SIG: ok"
	esp := fmt.Sprintf("ESP | SPI %08x seq 1, 10.1.0.10 -> 10.2.0.10 ICMP echo request id 7 seq 1 | ICV: ok", talk.SAs[0].SPI)
	expect(t, capture.Decode(talk.Frames, talk.Keys), push, push, push, push, esp, esp, "KEEPALIVE | keepalive of a NAT's mapping", "clear | UDP 7777 -> 7777")
}

// fragments cuts an IPv4 packet behind that many octets of its payload.
func fragments(packet []byte, at int) [][]byte {
	part := func(from, to int, flags uint16) []byte {
		b := append(slices.Clone(packet[:20]), packet[20+from:20+to]...)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		binary.BigEndian.PutUint16(b[6:], flags|uint16(from/8))
		return b
	}
	end := len(packet) - 20
	return [][]byte{part(0, at, 0x2000), part(at, 2*at, 0x2000), part(2*at, end, 0)}
}

func TestDecodeFragments(t *testing.T) {
	talk := capturetest.New("fragments", policy.CipherAESGCM16)
	talk.Push()
	whole := talk.Frames[0]
	push := "PUSH | HDR*, SEQ 1, SA {GAP, SAT}, KD, SIG | SIG: ok"
	var cut []capture.Frame
	for _, part := range fragments(whole.Packet, 160) {
		cut = append(cut, capture.Frame{At: whole.At, Link: "wan", Packet: part})
	}
	fragment := func(at int) string { return fmt.Sprintf("fragment | UDP fragment at %d", at) }
	expect(t, capture.Decode(cut, talk.Keys), fragment(0), fragment(160), push)
	slices.Reverse(cut)
	expect(t, capture.Decode(cut, talk.Keys), fragment(320), fragment(160), push)
	expect(t, capture.Decode(cut[:2], talk.Keys), fragment(320), fragment(160))
	cut[1].Link = "lan1" // seen elsewhere
	expect(t, capture.Decode(cut, talk.Keys), fragment(320), fragment(160), fragment(0))
	many := slices.Repeat(cut[:1], 1000)
	for i := range many {
		many[i].Packet = slices.Clone(many[i].Packet)
		binary.BigEndian.PutUint16(many[i].Packet[6:], 0x2000|uint16(i+1))
	}
	if got := capture.Decode(many, nil); len(got) != 1000 || got[999].Kind != capture.KindFragment {
		t.Errorf("%d messages", len(got))
	}
}

// Each message cut at each length, and each frame, gives a message; those that are cut say so.
func TestDecodeTruncated(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	for i, f := range talk.Frames {
		for n := range f.Packet {
			frames := slices.Clone(talk.Frames[:i+1])
			frames[i].Packet = f.Packet[:n]
			m := capture.Decode(frames, talk.Keys)[i]
			if m.Kind != capture.KindOther || m.Err == "" {
				t.Fatalf("frame %d cut to %d octets: %s", i+1, n, line(m))
			}
		}
	}
}

// The same with IP and UDP made to fit, so that the cut reaches the decoders of key management and ESP.
func TestDecodeShortened(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	for i, f := range talk.Frames[:ackFrame] {
		for n := 28; n < len(f.Packet); n++ {
			frames := slices.Clone(talk.Frames[:i+1])
			frames[i].Packet = slices.Clone(f.Packet[:n])
			binary.BigEndian.PutUint16(frames[i].Packet[2:], uint16(n))
			if f.Packet[9] == 17 {
				binary.BigEndian.PutUint16(frames[i].Packet[24:], uint16(n-20))
			}
			m := capture.Decode(frames, talk.Keys)[i]
			bad := slices.ContainsFunc(m.Checks, func(c capture.Check) bool { return c.Result != capture.OK })
			if m.Err == "" && !bad {
				t.Fatalf("frame %d with %d octets passes: %s", i+1, n, line(m))
			}
		}
	}
}

// A broken payload does not take a message its place in the exchange.
func TestDecodeBrokenMainMode(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	for i, kind := range []string{"MM1", "MM2", "MM3", "MM4"} {
		frames := slices.Clone(talk.Frames[:i+1])
		flip(&frames[i], 30) // the length of the first payload
		m := capture.Decode(frames, nil)[i]
		if m.Kind != kind || m.Err == "" {
			t.Errorf("%s, want %s", line(m), kind)
		}
	}
}

func TestDecodeStrangeFrames(t *testing.T) {
	ipv6 := append([]byte{0x60}, make([]byte, 39)...)
	for name, f := range map[string]capture.Frame{"nothing": {}, "IPv6": {Packet: ipv6}, "ARP": {Ethernet: make([]byte, 42)}, "one octet": {Packet: []byte{0x45}}} {
		m := capture.Decode([]capture.Frame{f}, nil)[0]
		if m.Kind != capture.KindOther || (m.Err == "") != (f.Packet == nil) {
			t.Errorf("%s: %s", name, line(m))
		}
	}
}

// Frames that stand in another order than that of their time are opened all the same, and keep their numbers.
func TestDecodeOutOfOrder(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	right := capture.Decode(talk.Frames, talk.Keys)
	frames := slices.Clone(talk.Frames)
	slices.Reverse(frames)
	for i, m := range capture.Decode(frames, talk.Keys) {
		same := right[len(right)-1-i]
		if m.Frame != i+1 || line(m) != line(same) {
			t.Errorf("frame %d: %s, want %s", m.Frame, line(m), line(same))
		}
	}
}
