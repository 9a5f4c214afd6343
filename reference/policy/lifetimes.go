package policy

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// KEKBehaviour is which generation of the vendor's software a node is like in what it does about the end of a KEK.
type KEKBehaviour uint8

// The behaviours. A key server of the new one replaces a KEK before it ends, and one of the old as it ends; a member of the new
// one counts the lifetime and registers again in time, and one of the old keeps its KEK until another comes.
const (
	KEKNew KEKBehaviour = iota
	KEKOld
)

// Lifetimes of profile getvpn.
const (
	LongLifetime    = 24 * time.Hour      // what is longer asks for a cipher that stands it
	LongestLifetime = 30 * 24 * time.Hour // of a KEK or TEK
	leastKEK        = 5 * time.Minute     // of which a rekey that begins 200 s before the end leaves something
	leastTEK        = 15 * time.Minute    // below it rekeys begin a fixed time before the end
	kekRatio        = 3                   // of the lifetime of a KEK to that of a TEK
)

// maxRate is the highest rate of packets a second that a configuration may tell.
const maxRate = math.MaxInt32

// WrapAdvice advises against an SA without extended sequence numbers whose numbers end before its lifetime if so many packets leave in a
// second. It is "" for any other, and if nobody says the rate.
func WrapAdvice(rate int, lifetime time.Duration, esn bool) string {
	const numbers = 1 << 32
	if seconds := uint64(lifetime / time.Second); rate <= 0 || esn || uint64(rate)*seconds <= numbers {
		return ""
	}
	return fmt.Sprintf("an SA lives %v, and at %d packets a second its sequence numbers end after %v: have it live shorter, or extend them",
		lifetime, rate, time.Duration(numbers/uint64(rate))*time.Second)
}

// longCiphers are good for more than a day; their keys have 128 bits or more.
var longCiphers = []Cipher{CipherAESCBC, CipherAESGCM8, CipherAESGCM12, CipherAESGCM16}

// CheckLifetimes says which lifetime is none that the profile knows: one of more than 30 days, or one of more than a day of a key
// whose cipher is not AES of 128 bits or more.
func (g Group) CheckLifetimes(p Profile) error {
	if p != ProfileGETVPN {
		return nil
	}
	if g.Rekey.Transport != TransportNone {
		kek := orElse(g.Rekey.KEKLifetime, defaultKEK)
		long := g.Rekey.KEK == (KEKTransform{}) || g.Rekey.KEK.Cipher == KEKAES
		if err := checkLifetime("kek_lifetime", kek, long); err != nil {
			return err
		}
	}
	for i, sa := range g.SAs {
		long := slices.Contains(longCiphers, sa.Transform.Cipher)
		if err := checkLifetime(fmt.Sprintf("lifetime of sas[%d]", i), orElse(sa.Lifetime, defaultTEK), long); err != nil {
			return err
		}
	}
	return nil
}

// checkLifetime says why a key with this lifetime cannot be; long tells whether its cipher is good for more than a day.
func checkLifetime(what string, lifetime time.Duration, long bool) error {
	switch {
	case lifetime > LongestLifetime:
		return fmt.Errorf("the %s is %v, and the most is %v", what, lifetime, LongestLifetime)
	case lifetime > LongLifetime && !long:
		return fmt.Errorf("the %s is %v; for more than %v the cipher has to be AES-CBC or AES-GCM", what, lifetime, LongLifetime)
	}
	return nil
}

// Lives is the lifetime of an SA, which is an hour unless it is configured.
func (sa SAPolicy) Lives() time.Duration { return orElse(sa.Lifetime, defaultTEK) }

// Advice says what profile getvpn advises against in the lifetimes of a group: keys that are replaced so often or so late that
// traffic may suffer. All of it works.
func (g Group) Advice() (all []string) {
	kek := orElse(g.Rekey.KEKLifetime, defaultKEK)
	rekeyed := g.Rekey.Transport != TransportNone
	if rekeyed && kek <= leastKEK {
		all = append(all, fmt.Sprintf("the KEK lives %v, and should live more than %v", kek, leastKEK))
	}
	for _, sa := range g.SAs {
		tek := orElse(sa.Lifetime, defaultTEK)
		if tek <= leastTEK {
			all = append(all, fmt.Sprintf("a TEK lives %v, and should live more than %v", tek, leastTEK))
		}
		switch {
		case rekeyed && kek <= tek:
			all = append(all, fmt.Sprintf("the KEK lives %v, which is not longer than the %v of a TEK", kek, tek))
		case rekeyed && kek < kekRatio*tek:
			all = append(all, fmt.Sprintf("the KEK lives %v, and should live %d times as long as a TEK with its %v", kek, kekRatio, tek))
		}
	}
	return all
}
