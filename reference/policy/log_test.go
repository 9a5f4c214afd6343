package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// receivers are some of each kind, as a file has them.
var receivers = map[string]policy.LogReceiver{
	`{to: "udp://192.0.2.1:514"}`: {Network: policy.LogUDP, Address: netip.MustParseAddrPort("192.0.2.1:514")},
	`{to: "udp://192.0.2.1:514", format: rfc3164}`: {Network: policy.LogUDP, Address: netip.MustParseAddrPort("192.0.2.1:514"),
		Format: policy.LogRFC3164},
	`{to: "tcp://[2001:db8::1]:601", framing: lf}`: {Network: policy.LogTCP, Address: netip.MustParseAddrPort("[2001:db8::1]:601"),
		Framing: policy.FrameByLineFeed},
	`{to: "tcp://192.0.2.1:601", format: rfc5424, framing: octet-counting}`: {Network: policy.LogTCP,
		Address: netip.MustParseAddrPort("192.0.2.1:601")},
}

func withLog(text string) string {
	return strings.Replace(keyServerYAML, "name: ", "log: "+text+"\nname: ", 1)
}

func TestLogReceiver(t *testing.T) {
	for text, want := range receivers {
		k, err := policy.ParseKeyServer("ks.yaml", []byte(withLog(text)), keys(t))
		if err != nil || k.Log != want {
			t.Errorf("%s is read as %+v, %v", text, k.Log, err)
			continue
		}
		m := fullMember()
		m.Log = want
		if again := memberRoundTrip(t, m); again.Log != want {
			t.Errorf("%s comes back as %+v", text, again.Log)
		}
	}
}

func TestLogReceiverFaults(t *testing.T) {
	for text, says := range map[string]string{
		`{}`:                                           `"to" is missing`,
		`{to: "192.0.2.1:514"}`:                        "is no receiver of a log",
		`{to: "tls://192.0.2.1:6514"}`:                 "is no receiver of a log",
		`{to: "udp://192.0.2.1"}`:                      "is no receiver of a log",
		`{to: "udp://192.0.2.1:0"}`:                    "is no receiver of a log",
		`{to: "udp://192.0.2.1:514", framing: lf}`:     "a datagram has no framing",
		`{to: "udp://192.0.2.1:514", format: rfc3195}`: "rfc3195",
		`{to: "tcp://192.0.2.1:514", framing: nul}`:    "nul",
	} {
		_, err := policy.ParseKeyServer("ks.yaml", []byte(withLog(text)), keys(t))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "ks.yaml:") {
			t.Errorf("%s: error %v, want one that says %q and where", text, err, says)
		}
	}
	for _, wrong := range []policy.LogReceiver{{Format: 9}, {Framing: 9}} {
		if _, err := policy.MarshalMember(policy.Member{Log: wrong}); err == nil {
			t.Errorf("%+v is written", wrong)
		}
	}
}
