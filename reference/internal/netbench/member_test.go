package netbench

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/daemon"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

const keyServer = `name: ks
address: 10.9.1.1
signing_key: ks1.pem
phase1: {nat_traversal: true, psks: [{peer: 10.0.0.0/24, key: correct horse battery staple}]}
groups:
  - name: red
    id: 1234
    members: [10.0.0.1, 10.0.0.2]
    sid_bits: 8
    rekey: {transport: unicast, kek_lifetime: 24h}
    sas:
      - {source: 10.1.0.0/16, destination: 10.1.0.0/16, transform: aes128-gcm16, mode: %s, preservation: %s, lifetime: 1h}
`

const groupMember = `name: g%[1]d
address: %[2]s
key_servers: [10.9.1.1]
group: 1234
phase1: {nat_traversal: true, psks: [{peer: 10.9.1.1, key: correct horse battery staple}]}
authorised: [{source: 10.1.0.0/16, destination: 10.1.0.0/16}]
inside: [%[3]s]
mtu: 1500
peers: [{network: %[4]s, gateway: %[5]s}]
`

// members are gateways of a group with that mode of ESP. The key server has a wire to each of its own.
func members(mode, preservation string, flags ...string) func(*site) {
	return func(s *site) {
		s.route()
		ks := nettest.New(s.b)
		for i, g := range s.g {
			link := fmt.Sprintf("g%d", i+1)
			nettest.Connect(ks, link, fmt.Sprintf("10.9.%d.1/24", i+1), g, "ks0", fmt.Sprintf("10.9.%d.2/24", i+1))
			ks.Route(gateways[i].String()+"/32", fmt.Sprintf("10.9.%d.2", i+1))
		}
		s.g[1].Route("10.9.1.0/24", "10.9.2.1")
		key, err := fixtures.FS.ReadFile("keys/ks1.pem")
		if err != nil {
			s.b.Fatal(err)
		}
		s.write("ks1.pem", string(key))
		s.daemon(ks, "ks", "ks", fmt.Sprintf(keyServer, mode, preservation))
		for i, g := range s.g {
			s.daemon(g, "gm", fmt.Sprintf("gm%d", i+1),
				fmt.Sprintf(groupMember, i+1, gateways[i], networks[i], networks[1-i], gateways[1-i]), flags...)
		}
	}
}

// daemon starts this program as a key server or member.
func (s *site) daemon(space *nettest.Space, role, name, config string, flags ...string) {
	s.b.Helper()
	program, err := os.Executable()
	if err != nil {
		s.b.Fatal(err)
	}
	socket := s.dir + "/" + name + ".sock"
	flags = append(flags, "--config", s.write(name+".yaml", config), "--control", socket, "--log", s.dir+"/"+name+".log")
	cmd := exec.Command(program, flags...)
	cmd.Env = append(os.Environ(), daemon.Env+"="+role)
	s.b.Cleanup(func() {
		if log, err := os.ReadFile(s.dir + "/" + name + ".log"); s.b.Failed() && err == nil {
			s.b.Logf("%s:\n%s", name, log)
		}
	})
	s.start(space, cmd)
	s.awaitSocket(socket)
}
