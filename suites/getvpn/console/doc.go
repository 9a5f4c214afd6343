// Package console tests what a device of GET VPN shows its operators and does at their command: the show, clear and debug commands of
// key servers and members. What is shown is compared with what crossed the wire and with the policy of the group; what a command
// does is seen on the wire. A device without a console is not judged.
package console
