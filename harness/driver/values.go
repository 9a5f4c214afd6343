package driver

import (
	"encoding/json"
	"time"

	"github.com/gdoilab/gdoilab/reference/keylog"
)

// Greeting is how the harness introduces itself.
type Greeting struct {
	Versions []int  `json:"versions"` // of the contract that it speaks, the best first
	Harness  string `json:"harness"`  // for a log: "gdoilab 1.2"
}

// Identity is how a driver introduces itself.
type Identity struct {
	Version int      `json:"version"` // of the contract: one of those of the greeting
	Name    string   `json:"name"`    // of the driver
	Release string   `json:"release,omitempty"`
	Roles   []string `json:"roles,omitempty"` // KS, GM; none says that it depends on the device
}

// Answer is what a driver says of a capability.
type Answer string

// The answers. A driver that is asked for something it has never heard of says Unknown.
const (
	Supported    Answer = "supported"
	NotSupported Answer = "unsupported"
	Unknown      Answer = "unknown"
)

// Preparation is where a device is to be.
type Preparation struct {
	Role        string            `json:"role"`                // KS or GM
	Node        string            `json:"node"`                // its name in this network: ks, gm1, …
	Dir         string            `json:"dir"`                 // an empty folder for its files, which goes with the network
	Network     Network           `json:"network"`             // its place
	Credentials Credentials       `json:"credentials"`         // that it is to own
	Settings    map[string]string `json:"settings,omitempty"`  // of the manifest, for the driver alone
	SyslogTo    string            `json:"syslog_to,omitempty"` // where syslog is received, from inside the namespace
}

// Network is a node's place in the network. Addresses and routes are there already.
type Network struct {
	Namespace string     `json:"namespace"` // path of its network namespace, to be entered with setns
	WAN       Interface  `json:"wan"`
	LAN       *Interface `json:"lan,omitempty"` // left out if nobody is behind it
}

// Interface is one interface of a node.
type Interface struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"` // with the length of the prefix
}

// Credentials are the secrets of the policy once more, by their kinds, for devices that are given them apart from their configuration.
// Everything but a pre-shared key is PEM.
type Credentials struct {
	PSKs        []PSK  `json:"psks,omitempty"`
	SigningKey  string `json:"signing_key,omitempty"` // of a key server's rekey messages
	Certificate string `json:"certificate,omitempty"` // for Phase 1, its own first
	PrivateKey  string `json:"private_key,omitempty"`
	Anchors     string `json:"anchors,omitempty"`
	CRLs        string `json:"crls,omitempty"`
}

// PSK is a pre-shared key of Phase 1.
type PSK struct {
	Peer     string `json:"peer,omitempty"`     // a prefix; left out: anywhere
	Identity string `json:"identity,omitempty"` // that the peer has to prove with it; left out: any
	Key      []byte `json:"key"`                // in base64
}

// Policy is a group's policy as the node knows it: docs/schema/policy.schema.json.
type Policy struct {
	Role     string          `json:"role"`
	Document json.RawMessage `json:"policy"`
}

// Applied is what a policy was turned into.
type Applied struct {
	Files []File `json:"files"` // the device's own configuration; at least one that is not empty
}

// File is a text that is kept with a verdict.
type File struct {
	Name    string `json:"name"` // a relative path
	Content string `json:"content"`
}

// Trigger is something that a device is to do.
type Trigger struct {
	Name string          `json:"name"`           // one of Triggers
	Args json.RawMessage `json:"args,omitempty"` // as package control has them for the command of that name
}

// State is what a device knows, and how that is known.
type State struct {
	Time   time.Time       `json:"time"`   // when the device was asked
	Source string          `json:"source"` // how: the command, the table, the file
	Status json.RawMessage `json:"status"` // control.KSStatus or control.GMStatus; what is not known is left out
}

// Events are lines of a device's log.
type Events struct {
	Events []Event `json:"events"`
	Next   int     `json:"next"` // how many lines there are now: what to ask for the next time
}

// Event is one line of a log.
type Event struct {
	Time   time.Time         `json:"time,omitzero"`    // as the device has it, or when it came
	Text   string            `json:"text"`             // the line as it is
	Name   string            `json:"name,omitempty"`   // of the event that it tells of, one of peer.EventNames
	Fields map[string]string `json:"fields,omitempty"` // of the event
}

// Clock is a device's time.
type Clock struct {
	Time   time.Time `json:"time"`
	Source string    `json:"source"`
}

// Secrets are the keys that a device has used.
type Secrets struct {
	Keys []keylog.Entry `json:"keys"`
}

// Traffic is what a data path has counted since the device was started.
type Traffic struct {
	Time     time.Time         `json:"time"`
	Source   string            `json:"source"`
	Counters map[string]uint64 `json:"counters"` // encrypted, decrypted, bypassed, dropped: what the device counts of these
}

// Collected is what else is worth keeping.
type Collected struct {
	Files []File `json:"files"`
}
