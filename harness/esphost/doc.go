// Package esphost is what a lab says to ESP that somebody else wrote. The foreign code is a host and its own gateway in one, in the
// place of a group member: it is given the Data-Security SAs, and puts datagrams of its own, and the answers to echo requests, under
// them.
//
// It is a program that reads requests from its standard input and answers on its standard output, both JSON-RPC 2.0 with a
// message in each line. Lines that begin otherwise are its log.
//
//	lab --> host  {"jsonrpc": "2.0", "id": 1, "method": "place", "params": Place}
//	lab --> host  {"jsonrpc": "2.0", "id": 2, "method": "install", "params": [SA, …]}
//	lab --> host  {"jsonrpc": "2.0", "id": 3, "method": "send", "params": Datagram}
//	lab <-- host  {"jsonrpc": "2.0", "id": 1, "result": …}
//	lab <-- host  {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "why not"}}
//	lab <-- host  {"jsonrpc": "2.0", "method": "received", "params": Datagram}
//
// "place" comes once and first. "install" replaces what was installed before; from then on nothing between the host and the others
// passes in clear. "received" tells of each UDP datagram that came to Port.
package esphost
