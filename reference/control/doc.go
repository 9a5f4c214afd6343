// Package control is the language of a node's control socket: what an operator or a test harness may ask of a running
// key server or group member, and the shape of the answers.
//
// On the socket each request and each response is one JSON object on a line of its own. The same requests reach a core
// as core.Command events. The answers show what an operator may see: no keys.
package control
