package policy

import (
	"strings"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// consoleOf makes a reader of the console that opens the file of a host key.
func consoleOf(open ReadFile) func(yamldoc.Value) Console {
	return func(v yamldoc.Value) Console { return console(v, open) }
}

func console(v yamldoc.Value, open ReadFile) Console {
	var c Console
	var users []place[ConsoleUser]
	v.Fields(
		yamldoc.Optional("ssh", &c.SSH, unicastPort),
		yamldoc.Optional("host_key", &c.HostKey, func(v yamldoc.Value) string { return hostKey(v, open) }),
		yamldoc.Optional("enable", &c.Enable, secret),
		yamldoc.Optional("users", &users, yamldoc.Some("user", placed(consoleUser))),
	)
	names := make(map[string]string)
	for _, u := range users {
		once(u.at, names, u.value.Name)
		if u.value.Password == "" && len(u.value.Keys) == 0 {
			u.at.Problem("the user can log in with nothing; add a password or keys")
		}
		c.Users = append(c.Users, u.value)
	}
	if v.Has("ssh") && !v.Has("users") {
		v.Problem("the field \"users\" is missing; nobody could log in")
	}
	return c
}

func consoleUser(v yamldoc.Value) ConsoleUser {
	var u ConsoleUser
	v.Fields(
		yamldoc.Required("name", &u.Name, nodeName),
		yamldoc.Optional("password", &u.Password, secret),
		yamldoc.Optional("keys", &u.Keys, yamldoc.Some("key", publicKey)),
		yamldoc.Optional("privileged", &u.Privileged, yamldoc.Value.Bool),
	)
	return u
}

// secret reads a text that does not stand in problems.
func secret(v yamldoc.Value) string {
	if !v.IsText() {
		v.Problem("a secret is text in quotes")
		return ""
	}
	s, _ := v.Text()
	if s == "" {
		v.Problem("the secret is empty; leave it out if there is none")
	}
	return s
}

// publicKey reads a line of an authorized_keys file.
func publicKey(v yamldoc.Value) string {
	s, ok := v.Text()
	if ok && len(strings.Fields(s)) < 2 {
		v.Problem("%s is no public key; write a line such as ssh-ed25519 AAAA...", brief(s))
		return ""
	}
	return s
}

// hostKey reads PEM, or the name of a file that holds it.
func hostKey(v yamldoc.Value, open ReadFile) string {
	s, ok := v.Text()
	if !ok || strings.HasPrefix(s, "-----BEGIN ") {
		return s
	}
	data, err := open(s)
	if err != nil {
		v.Problem("the host key %q cannot be read; name a PEM file, relative to this file", s)
		return ""
	}
	if !strings.HasPrefix(string(data), "-----BEGIN ") {
		v.Problem("%q holds no PEM", s)
		return ""
	}
	return string(data)
}

// checkConsole refuses a console and names for it where the profile has none.
func checkConsole(root yamldoc.Value, p Profile, groups []place[groupMember]) {
	if p == ProfileGETVPN {
		return
	}
	for _, field := range []string{"console", "group_name"} {
		if root.Has(field) {
			root.Problem("the field %q is for profile getvpn, not %s", field, p)
		}
	}
	for _, g := range groups {
		if g.at.Has("name") {
			g.at.Problem("the field \"name\" is for profile getvpn, not %s", p)
		}
	}
}
