// Package ssh carries the conversation between an operator and a console over SSH: a server with passwords and public keys, a
// terminal with line editing where the client has one, and single commands (ssh gm1 show crypto gdoi). What a line leads to is
// somebody else's affair.
package ssh
