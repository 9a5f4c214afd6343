// Package messages tests what a device of GET VPN tells its operator: each message comes when its cause does, at its severity, and with the
// values of what happened.
//
// fixtures/syslog-getvpn.yaml has the messages. Where the words of devices are not known only the mnemonic is looked for, and the values
// if the device happens to have our words; where the severity is not known any will do.
package messages
