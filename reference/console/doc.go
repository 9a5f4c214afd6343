// Package console is what an operator types at a key server or a group member of GET VPN, and what comes back: the show, clear,
// crypto and debug commands of a Cisco router, with the same fields in the same order, so that one reader understands both.
//
// A Console stands around a core and is one itself. The command control.Console brings a line and the mode that the operator is
// in; the reply has the text and the mode after it, so that whoever carries the conversation (a socket, SSH, a test) keeps
// nothing else. What is shown is the core's own status. Everything passes on to the core as it comes, and of what the core has
// done the last events are kept.
//
// Commands may be abbreviated as far as they stay unique. A "?" at the end of a line asks what may follow. Behind a "|" stand
// include, exclude, begin, section, count, and json, which gives the same fields as JSON.
package console
