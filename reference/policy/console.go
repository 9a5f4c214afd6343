package policy

import "net/netip"

// Console is how operators reach the console of a node of profile getvpn, beside its control socket.
type Console struct {
	SSH     netip.AddrPort // where it listens for them; not valid: nowhere
	HostKey string         // PEM of the private key that it proves itself with; "": one is made at each start
	Enable  string         // the secret between looking and doing; "": none is asked for
	Users   []ConsoleUser
}

// ConsoleUser is an operator who may log in, by a password or by one of some keys.
type ConsoleUser struct {
	Name       string
	Password   string   // "": none
	Keys       []string // public keys, each as in an authorized_keys file
	Privileged bool     // begins where others have to enable
}

// Set reports whether there is anything.
func (c Console) Set() bool {
	return c.SSH.IsValid() || c.HostKey != "" || c.Enable != "" || len(c.Users) > 0
}
