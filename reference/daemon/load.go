package daemon

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// iosSuffix is what the names of configurations end with that are written as routers have them.
const iosSuffix = ".ios"

// loadKeyServer reads a configuration in either form, and what there is to be said about it.
func (o *options) loadKeyServer() (policy.KeyServer, []*core.Log, error) {
	if filepath.Ext(o.config) != iosSuffix {
		cfg, err := policy.LoadKeyServer(o.config)
		return cfg, nil, err
	}
	data, err := o.text()
	if err != nil {
		return policy.KeyServer{}, nil, err
	}
	cfg, warnings, err := iosconfig.ParseKeyServer(o.config, data, o.ios())
	return cfg, notesOf(warnings), err
}

// loadMember is loadKeyServer of a member.
func (o *options) loadMember() (policy.Member, []*core.Log, error) {
	if filepath.Ext(o.config) != iosSuffix {
		cfg, err := policy.LoadMember(o.config)
		return cfg, nil, err
	}
	data, err := o.text()
	if err != nil {
		return policy.Member{}, nil, err
	}
	cfg, warnings, err := iosconfig.ParseMember(o.config, data, o.ios())
	return cfg, notesOf(warnings), err
}

// text is the configuration that is running, or that of the file.
func (o *options) text() ([]byte, error) {
	if o.running != nil {
		return []byte(o.running.config.Text()), nil
	}
	return os.ReadFile(o.config)
}

// ios says how to read what routers have: keys are beside the configuration, unless they were made by an operator's command.
func (o *options) ios() iosconfig.Options {
	return iosconfig.Options{Lenient: o.lenient, Resolve: resolve, Open: func(name string) ([]byte, error) {
		if o.running != nil && o.running.keys[name] != nil {
			return o.running.keys[name], nil
		}
		return os.ReadFile(filepath.Join(filepath.Dir(o.config), filepath.Base(name)))
	}}
}

// resolvesIn is how long a name may take.
const resolvesIn = 10 * time.Second

// resolve finds the IPv4 address of a name.
func resolve(name string) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), resolvesIn)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0].Unmap(), nil
}

func notesOf(warnings yamldoc.Problems) (notes []*core.Log) {
	for _, w := range warnings {
		notes = append(notes, &core.Log{Severity: core.Warning, Tag: "CONFIGURATION", Text: w.Error()})
	}
	return notes
}
