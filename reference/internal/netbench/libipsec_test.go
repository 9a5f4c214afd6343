package netbench

import (
	"fmt"
	"os"

	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

const strongswanConf = `charon-systemd {
  load = random nonce %[2]s sha2 hmac kdf openssl pubkey kernel-libipsec kernel-netlink socket-default vici
  plugins {
    vici { socket = unix://%[1]s/charon.vici }
    kernel-libipsec { allow_peer_ts = yes }
  }
  journal { default = -1 }
}
`

const swanctlConf = `connections {
  net {
    version = 2
    local_addrs = %[1]s
    remote_addrs = %[2]s
    proposals = aes128-sha256-modp2048
    local { auth = psk }
    remote { auth = psk }
    encap = yes
    children {
      net { mode = tunnel
        esp_proposals = aes128gcm16
        local_ts = %[3]s
        remote_ts = %[4]s }
    }
  }
}
secrets { ike { secret = "correct horse battery staple" } }
`

// libipsec is strongSwan with its userland ESP, which is always in UDP. Of the plugins that have AES-GCM the one that is named first does it.
func libipsec(plugins string) func(*site) {
	return func(s *site) { s.strongswan(plugins) }
}

func (s *site) strongswan(plugins string) {
	s.b.Helper()
	s.forward()
	over := os.Getenv("GDOILAB_PEERS") + "/strongswan/usr"
	for i, g := range s.g {
		dir := fmt.Sprintf("%s/swan%d", s.dir, i+1)
		conf := s.write(fmt.Sprintf("swan%d/strongswan.conf", i+1), fmt.Sprintf(strongswanConf, dir, plugins))
		load := s.write(fmt.Sprintf("swan%d/swanctl.conf", i+1), fmt.Sprintf(swanctlConf, gateways[i], gateways[1-i], networks[i], networks[1-i]))
		cmd := room(over, "/usr/sbin/charon-systemd")
		cmd.Env = append(os.Environ(), "STRONGSWAN_CONF="+conf, "SWANCTL_DIR="+dir)
		s.start(g, cmd)
		s.awaitSocket(dir + "/charon.vici")
		s.swanctl(g, over, conf, "--load-all", "--file", load, "--uri", "unix://"+dir+"/charon.vici")
		if i == 1 {
			s.swanctl(g, over, conf, "--initiate", "--child", "net", "--timeout", "10", "--uri", "unix://"+dir+"/charon.vici")
		}
	}
}

func (s *site) swanctl(space *nettest.Space, over, conf string, words ...string) {
	s.b.Helper()
	cmd := room(over, append([]string{"/usr/sbin/swanctl"}, words...)...)
	cmd.Env = append(os.Environ(), "STRONGSWAN_CONF="+conf)
	space.Do(func() error {
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v: %w: %s", cmd.Args, err, out)
		}
		return nil
	})
}
