package snmp

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// View is what an agent shows at a time.
type View func() (mib.Table, error)

// Agent answers requests. It is not safe for concurrent use.
type Agent struct {
	community string
	engine    engine
	users     map[string]*gosnmp.UsmSecurityParameters
	view      View
	reports   map[uint32]uint32 // sent, by what they are about
}

// ErrIgnored is in the chain of errors of messages that get no answer.
var ErrIgnored = errors.New("the message is ignored")

// New makes the agent of a node that starts now. Rand names its engine anew, so that keys of users are those of this start. It fails if
// Rand does.
func New(cfg policy.SNMP, rand io.Reader, now time.Time, view View) (*Agent, error) {
	a := &Agent{community: cfg.Community, users: make(map[string]*gosnmp.UsmSecurityParameters), view: view, reports: make(map[uint32]uint32)}
	var err error
	if a.engine, err = newEngine(rand, now); err != nil {
		return nil, fmt.Errorf("snmp: %w", err)
	}
	for _, u := range cfg.Users {
		if a.users[u.Name], err = a.engine.user(u); err != nil {
			return nil, fmt.Errorf("snmp: user %s: %w", u.Name, err)
		}
	}
	return a, nil
}

// Answer makes the response to a message. Errors wrap ErrIgnored if the message deserves none.
func (a *Agent) Answer(now time.Time, message []byte) ([]byte, error) {
	response, err := a.answer(now, message)
	if err != nil {
		return nil, fmt.Errorf("snmp: %w", err)
	}
	octets, err := response.MarshalMsg()
	if err != nil {
		return nil, fmt.Errorf("snmp: %w", err)
	}
	return octets, nil
}

// answer finds out who asks: the version, and then the community or the user.
func (a *Agent) answer(now time.Time, message []byte) (*gosnmp.SnmpPacket, error) {
	header := peek(message)
	if header.Version == gosnmp.Version3 && len(a.users) > 0 {
		return a.secured(now, message, header)
	}
	if header.Version != gosnmp.Version2c || a.community == "" {
		return nil, fmt.Errorf("%w: version %s", ErrIgnored, header.Version)
	}
	reader := gosnmp.GoSNMP{Version: gosnmp.Version2c}
	request, err := reader.UnmarshalTrap(bytes.Clone(message), false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIgnored, err)
	}
	if subtle.ConstantTimeCompare([]byte(request.Community), []byte(a.community)) == 0 {
		return nil, fmt.Errorf("%w: another community", ErrIgnored)
	}
	response := &gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: a.community, RequestID: request.RequestID}
	return response, a.serve(request, response)
}

// serve fills in what a request gets.
func (a *Agent) serve(request, response *gosnmp.SnmpPacket) error {
	response.PDUType = gosnmp.GetResponse
	if request.PDUType == gosnmp.SetRequest {
		response.Error, response.ErrorIndex, response.Variables = gosnmp.NotWritable, 1, request.Variables
		return nil
	}
	table, err := a.view()
	if err != nil {
		return err
	}
	switch request.PDUType {
	case gosnmp.GetRequest:
		response.Variables, err = each(request.Variables, func(o mib.OID) gosnmp.SnmpPDU { return get(table, o) })
	case gosnmp.GetNextRequest:
		response.Variables, err = each(request.Variables, func(o mib.OID) gosnmp.SnmpPDU { return next(table, o) })
	case gosnmp.GetBulkRequest:
		response.Variables, err = bulk(table, request)
	default:
		err = fmt.Errorf("%w: %s is no request", ErrIgnored, request.PDUType)
	}
	return err
}
