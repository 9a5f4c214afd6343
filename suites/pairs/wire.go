package pairs

import (
	"slices"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// header is what a message of key management shows without a key. A message that is sent again counts once.
type header struct {
	isakmp.Header
	fromKS bool
}

// between are the messages between the key server and member i, in their order.
func between(l *lab.Lab, i int) (all []header) {
	ks, gm := l.KS.Addr(), l.GM[i-1].Addr()
	seen := make(map[string]bool)
	for _, f := range kit.WANSince(l, 0) {
		ip, ok := lab.Parse(f.Packet)
		if !ok {
			continue
		}
		from, to, data, ok := ip.UDP()
		h, err := isakmp.ParseHeader(data)
		ours := from == ks && to == gm || from == gm && to == ks
		if ok && err == nil && ours && !seen[string(data)] {
			seen[string(data)] = true
			all = append(all, header{h, from == ks})
		}
	}
	return all
}

// of are those of an exchange.
func of(exchange isakmp.ExchangeType, all []header) []header {
	return slices.DeleteFunc(slices.Clone(all), func(h header) bool { return h.Exchange != exchange })
}

// encrypted says of each message whether it is.
func encrypted(all []header) (flags []bool) {
	for _, h := range all {
		flags = append(flags, h.Flags&isakmp.FlagEncryption != 0)
	}
	return flags
}

// fromKeyServer says of each message whether the key server sent it.
func fromKeyServer(all []header) (senders []bool) {
	for _, h := range all {
		senders = append(senders, h.fromKS)
	}
	return senders
}
