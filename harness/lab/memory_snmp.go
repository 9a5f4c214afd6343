package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/snmp"
)

var _ managed = (*memoryNode)(nil)

// manage gives a node the agent that its policy asks for. Its table is that of the node's status.
func (node *memoryNode) manage() (err error) {
	cfg, view := node.station.agent(), node.tableOfMember
	node.notices.began = node.net.now
	if cfg == nil || node.station.Device == nil {
		return nil
	}
	if node.station.KS != nil {
		view = node.tableOfKeyServer
	}
	node.agent, err = snmp.New(*cfg, keymat.Seeded(node.net.plan.Seed, node.name, "snmp"), node.net.now, view)
	return err
}

func (node *memoryNode) tableOfKeyServer() (mib.Table, error) {
	var s control.KSStatus
	err := node.status(&s)
	return mib.KeyServer(s, true), err
}

func (node *memoryNode) tableOfMember() (mib.Table, error) {
	var s control.GMStatus
	err := node.status(&s)
	return mib.Member(s, true), err
}

func (node *memoryNode) status(s any) error {
	r, err := node.Do(context.Background(), control.Status, nil)
	if err != nil {
		return err
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	return json.Unmarshal(r.Body, s)
}

func (node *memoryNode) community() string {
	if cfg := node.station.agent(); cfg != nil {
		return cfg.Community
	}
	return ""
}

// manageBy hands the agent a message.
func (node *memoryNode) manageBy(_ context.Context, message []byte) ([]byte, error) {
	if node.agent == nil || node.stopped {
		return nil, fmt.Errorf("%w: %s has no agent", errNoAnswer, node.name)
	}
	return node.agent.Answer(node.net.now, message)
}
