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

// RehearseDriver is Rehearse for a device with a driver, in a folder of its own.
func RehearseDriver(device *peer.Role, dir string) (*peer.Ride, error) {
	s, err := rehearsal(device)
	if err != nil {
		return nil, err
	}
	s.Dir = dir
	return device.Ride(s)
}

// findDriver returns an error if the program of a driver is not there.
func findDriver(device *peer.Role) error {
	ride, err := RehearseDriver(device, os.TempDir())
	if err != nil {
		return err
	}
	return ride.Find()
}

// rehearsal is a device in its role for the default group.
func rehearsal(device *peer.Role) (s peer.Subject, err error) {
	program, err := os.Executable()
	if err != nil {
		return s, err
	}
	s.Place = peer.Place{Program: program, WAN: wanInterface, LogTo: logTo(device)}
	if device.Is == rule.KS {
		s.Dir = filepath.Join(os.TempDir(), KeyServerName)
		s.KS, err = defaultKeyServer(device.Usual, Setup{Members: 1})
		return s, err
	}
	s.Dir, s.LAN = filepath.Join(os.TempDir(), MemberName(1)), lanInterface
	s.GM = defaultMember(device.Usual, Setup{Members: 1}, 1)
	return s, nil
}

// usually is a station with the policy that it has when a spec decides nothing.
func usually(s Station) (peer.Subject, error) {
	if s.KS != nil {
		ks, err := defaultKeyServer(s.Device.Usual, Setup{Members: 1})
		return peer.Subject{KS: ks}, err
	}
	i := indexOf(s.Name)
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
