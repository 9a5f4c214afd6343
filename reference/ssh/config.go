package ssh

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// The bounds of what somebody who has not logged in may take up.
const (
	handshakeTime = 30 * time.Second
	maxTries      = 3
	maxClients    = 16
)

// privileged marks in the permissions of a connection that its user may do everything.
const privileged = "privileged"

// errUnknown is what everybody is told who cannot log in, whatever the reason.
var errUnknown = errors.New("ssh: no such user, or wrong credentials")

// user is an operator whose keys have been read.
type user struct {
	policy.ConsoleUser
	keys [][]byte // in the form of the wire
}

// serverConfig reads the host key and the keys of the users; without a host key one is made, which is gone with the process.
func serverConfig(c policy.Console) (*ssh.ServerConfig, error) {
	host, err := hostKey(c.HostKey)
	if err != nil {
		return nil, err
	}
	users := make(map[string]user)
	for _, u := range c.Users {
		one, err := readUser(u)
		if err != nil {
			return nil, err
		}
		users[u.Name] = one
	}
	cfg := &ssh.ServerConfig{
		MaxAuthTries: maxTries, ServerVersion: "SSH-2.0-gdoilab",
		PasswordCallback: func(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			u, known := users[conn.User()]
			if !known || u.Password == "" || subtle.ConstantTimeCompare([]byte(u.Password), password) != 1 {
				return nil, errUnknown
			}
			return u.permissions(), nil
		},
		PublicKeyCallback: func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			u := users[conn.User()]
			for _, k := range u.keys {
				if bytes.Equal(k, key.Marshal()) {
					return u.permissions(), nil
				}
			}
			return nil, errUnknown
		},
	}
	cfg.AddHostKey(host)
	return cfg, nil
}

func hostKey(text string) (ssh.Signer, error) {
	if text == "" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("ssh: host key: %w", err)
		}
		return ssh.NewSignerFromKey(key)
	}
	key, err := ssh.ParsePrivateKey([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("console: host_key: %w", err)
	}
	return key, nil
}

func readUser(u policy.ConsoleUser) (user, error) {
	one := user{ConsoleUser: u}
	for _, line := range u.Keys {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return user{}, fmt.Errorf("console: a key of the user %s: %w", u.Name, err)
		}
		one.keys = append(one.keys, key.Marshal())
	}
	return one, nil
}

func (u user) permissions() *ssh.Permissions {
	p := &ssh.Permissions{Extensions: map[string]string{}}
	if u.Privileged {
		p.Extensions[privileged] = "yes"
	}
	return p
}
