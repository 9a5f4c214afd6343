package policy_test

import (
	"io/fs"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// A console, and the names of groups on it, are written as they are read.
func TestConsoleRoundTrip(t *testing.T) {
	want := policy.Console{
		SSH: netip.MustParseAddrPort("127.0.0.1:2222"), HostKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", Enable: "a b",
		Users: []policy.ConsoleUser{
			{Name: "alice", Password: "true"}, {Name: "bob", Keys: []string{"ssh-ed25519 AAAA bob@example"}, Privileged: true},
		},
	}
	k := fullKeyServer(t)
	k.Console = want
	text, err := policy.MarshalKeyServer(k, "sign.pem")
	if err != nil {
		t.Fatal(err)
	}
	again, err := policy.ParseKeyServer("ks.yaml", text, func(string) ([]byte, error) { return policy.SigningKeyPEM(k), nil })
	if err != nil || !reflect.DeepEqual(again.Console, want) {
		t.Errorf("%+v, %v", again.Console, err)
	}
	m, err := policy.ParseMember("gm.yaml", []byte("profile: getvpn\ngroup_name: red\n"+memberYAML))
	if err != nil || m.GroupName != "red" || m.Memberships()[0].GroupName != "red" {
		t.Fatalf("%+v, %v", m, err)
	}
	m.Console, m.Group, m.GroupName, m.Authorised, m.SIDRequest = want, 0, "", nil, 0
	m.Groups = []policy.Membership{{Group: 1, GroupName: "one"}, {Group: 2}}
	if text, err = policy.MarshalMember(m); err != nil {
		t.Fatal(err)
	}
	back, err := policy.ParseMember("gm.yaml", text)
	if err != nil || !reflect.DeepEqual(back.Console, want) || back.Memberships()[0].GroupName != "one" {
		t.Errorf("%+v, %v", back, err)
	}
}

// What is wrong with a console is said where it stands, without its secrets.
func TestConsoleFaults(t *testing.T) {
	open := func(name string) ([]byte, error) {
		if name == "none.pem" {
			return nil, fs.ErrNotExist
		}
		if name == "host.txt" {
			return []byte("no key"), nil
		}
		return keys(t)(name)
	}
	for _, c := range []struct{ text, want string }{
		{"console: {ssh: 10.0.0.1:2222}", `the field "users" is missing; nobody could log in`},
		{"console: {users: [{name: a}]}", "the user can log in with nothing"},
		{"console: {users: [{name: a, password: x}, {name: a, password: y}]}", "a is already given at console.users[0]"},
		{"console: {users: [{name: a, password: 7}]}", "a secret is text in quotes"},
		{"console: {enable: ''}", "the secret is empty"},
		{"console: {users: [{name: a, keys: [AAAA]}]}", `"AAAA" is no public key`},
		{"console: {host_key: none.pem}", `the host key "none.pem" cannot be read`},
		{"console: {host_key: host.txt}", `"host.txt" holds no PEM`},
	} {
		_, err := policy.ParseKeyServer("ks.yaml", []byte("profile: getvpn\n"+c.text+"\n"+keyServerYAML), open)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "ks.yaml:2:") {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	for _, text := range []string{"console: {enable: x}", "group_name: x"} {
		field, _, _ := strings.Cut(text, ":")
		if _, err := policy.ParseMember("gm.yaml", []byte(text+"\n"+memberYAML)); err == nil || !strings.Contains(err.Error(), `the field "`+field+`" is for profile getvpn, not rfc6407`) {
			t.Errorf("%s: %v", text, err)
		}
	}
	several := strings.Replace(memberYAML, "group: ", "groups: [{id: 7, name: x}] #", 1)
	if _, err := policy.ParseMember("gm.yaml", []byte(several)); err == nil || !strings.Contains(err.Error(), `the field "name" is for profile getvpn`) {
		t.Errorf("%v", err)
	}
}
