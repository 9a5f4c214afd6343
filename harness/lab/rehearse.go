package lab

import (
	"os"
	"path/filepath"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Rehearse renders a device in its role for the default group, as it would be started for a spec, without starting anything.
func Rehearse(device *peer.Role) (*peer.Launch, error) {
	s, err := rehearsal(device)
	if err != nil {
		return nil, err
	}
	return device.Launch(s)
}

// RehearseVisit renders a router in its role for the default group.
func RehearseVisit(device *peer.Role) (*peer.Visit, error) {
	s, err := rehearsal(device)
	if err != nil {
		return nil, err
	}
	if s.Place, err = placeOf(device, Plan{Members: 1, Hosts: true}, s.KS == nil, 1); err != nil {
		return nil, err
	}
	return device.Visit(s)
}

// rehearsal is a device for the default group.
func rehearsal(device *peer.Role) (peer.Subject, error) {
	program, err := os.Executable()
	if err != nil {
		return peer.Subject{}, err
	}
	s := peer.Subject{Place: peer.Place{Program: program, WAN: wanInterface}}
	if device.Is == rule.KS {
		s.Dir = filepath.Join(os.TempDir(), KeyServerName)
		s.KS, err = defaultKeyServer(device.Usual, Setup{Members: 1})
	} else {
		s.Dir, s.LAN = filepath.Join(os.TempDir(), MemberName(1)), lanInterface
		s.GM = defaultMember(device.Usual, Setup{Members: 1}, 1)
	}
	s.LogTo = logTo(device)
	return s, err
}

// usually is a station with the policy that it has when a spec decides nothing.
func usually(s Station) (peer.Subject, error) {
	if s.KS != nil {
		ks, err := defaultKeyServer(s.Device.Usual, Setup{Members: 1})
		return peer.Subject{KS: ks}, err
	}
	i := 1
	for MemberName(i) != s.Name {
		i++
	}
	return peer.Subject{GM: defaultMember(s.Device.Usual, Setup{Members: i}, i)}, nil
}

// The interfaces of a node.
const (
	wanInterface = "wan0"
	lanInterface = "lan0"
)

// logReceiver is where a device's syslog is received, in its own namespace, so that it crosses no link.
const logReceiver = "127.0.0.1:514"

// logTo is where a device is to send its log, "" if its manifest does not say that it sends it.
func logTo(device *peer.Role) string {
	if device.Syslog != nil && (device.Syslog.From == peer.SourceUDP || device.Syslog.From == peer.SourceTCP) {
		return logReceiver
	}
	return ""
}
