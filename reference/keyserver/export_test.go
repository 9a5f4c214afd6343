package keyserver

// Kept counts what a key server keeps for peers, for tests of floods.
type Kept struct{ Sessions, Openings, Timers, Addresses, Peers, Pulls, Acked int }

// Kept counts it now.
func (k *KeyServer) Kept() Kept {
	c := Kept{
		Sessions: len(k.sessions.byCookies), Openings: len(k.sessions.byOpening), Timers: len(k.sessions.queue),
		Addresses: len(k.sessions.waiting.byAddress), Peers: len(k.sessions.standing.byPeer),
		Acked: cap(k.acked),
	}
	for _, s := range k.sessions.byCookies {
		c.Pulls += len(s.pulls.order)
	}
	return c
}
