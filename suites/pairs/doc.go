// Package pairs tests two devices beside each other: a key server and the members that it keys, from the first message to the traffic of
// the hosts. Nobody is a tester, so nothing is broken on purpose, and nothing is looked into but the wire and the data plane; a
// device without keys in a log is judged all the same. "gdoilab interop" runs it for every two peers.
package pairs
