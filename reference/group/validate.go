package group

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Validate says whether a group with this configuration can work.
func Validate(cfg policy.Group) error {
	if err := validateRekey(cfg.Rekey); err != nil {
		return fmt.Errorf("group %s: %w", cfg.Name, err)
	}
	if cfg.SIDBits < 0 || cfg.SIDBits > 32 {
		return fmt.Errorf("group %s: SIDs of %d bits, want 1 to 32", cfg.Name, cfg.SIDBits)
	}
	if r := cfg.SIDRange; r != (policy.SIDRange{}) && !r.In(cmp.Or(cfg.SIDBits, defaultSIDBits)) {
		return fmt.Errorf("group %s: no SIDs from %d to %d", cfg.Name, r.First, r.Last)
	}
	if len(cfg.SAs) == 0 && cfg.Rekey.Transport == policy.TransportNone {
		return fmt.Errorf("group %s: neither SAs nor rekey", cfg.Name) // RFC 6407 §5.2.1
	}
	for i, sa := range cfg.SAs {
		if err := validateSA(sa, cfg.Rekey.Margin); err != nil {
			return fmt.Errorf("group %s: SA %d: %w", cfg.Name, i+1, err)
		}
	}
	return nil
}

func validateRekey(r policy.RekeyPolicy) error {
	switch r.Transport {
	case policy.TransportNone:
		if r.Backward {
			return errors.New("backward access control without rekey: the members could not be told of new keys")
		}
		return nil
	case policy.TransportUnicast:
	case policy.TransportMulticast:
		if !r.Address.Addr().IsMulticast() || r.Address.Port() == 0 {
			return fmt.Errorf("multicast rekey to %v, want a multicast address and a port", r.Address)
		}
	default:
		return fmt.Errorf("unknown transport %q of the rekey", r.Transport)
	}
	if r.Ack > policy.AckLKHSHA512 {
		return fmt.Errorf("unknown acknowledgement type %d", r.Ack)
	}
	if err := validateManagement(r); err != nil {
		return err
	}
	if r.Updates < 0 || r.Updates > policy.MostUpdates || r.Updates > 0 && r.Management != policy.ManagementLKH {
		return fmt.Errorf("%d updates of a hierarchy in a message, want at most %d, with LKH", r.Updates, policy.MostUpdates)
	}
	if err := validateKEK(r); err != nil {
		return err
	}
	if r.Retransmit < 0 || r.Interval < 0 {
		return fmt.Errorf("retransmission of %d times each %v", r.Retransmit, r.Interval)
	}
	return validateLifetime(kekLifetime(r), r.Margin)
}

// validateManagement says why there can be no hierarchy of keys. They are wrapped with their IVs and without padding.
func validateManagement(r policy.RekeyPolicy) error {
	kek := kekTransform(r)
	form, _ := kek.Cipher.Form()
	switch {
	case r.Management > policy.ManagementLKH:
		return fmt.Errorf("unknown management %d of the KEK", r.Management)
	case r.Management == policy.ManagementNone && r.Ack.LKH():
		return errors.New("acknowledgements keyed by LKH without LKH")
	case r.Management == policy.ManagementLKH && form.IV > 0 && kek.KeyBits/8%form.IV != 0:
		return fmt.Errorf("LKH with a KEK of %d bits, which is no whole number of blocks", kek.KeyBits)
	}
	return nil
}

func validateKEK(r policy.RekeyPolicy) error {
	if err := kekTransform(r).Check(); err != nil {
		return err
	}
	if r.SigHash != 0 && (r.SigHash < policy.SigHashSHA1 || r.SigHash > policy.SigHashSHA512) {
		return fmt.Errorf("unknown signature hash %d", r.SigHash)
	}
	if r.SigForm > policy.SigBareHash {
		return fmt.Errorf("unknown signature form %d", uint8(r.SigForm))
	}
	return nil
}

func validateSA(sa policy.SAPolicy, margin time.Duration) error {
	if err := sa.Transform.Check(); err != nil {
		return err
	}
	if len(sa.Flows()) == 0 {
		return errors.New("an access list without a permit entry")
	}
	for _, flow := range sa.Flows() {
		if err := validateFlow(flow); err != nil {
			return err
		}
	}
	return validateLifetime(tekLifetime(sa), margin)
}

func validateFlow(s policy.Selector) error {
	if s.Traffic != (policy.OIDName{}) {
		return s.Traffic.Check()
	}
	switch source, destination := s.Source, s.Destination; {
	case !source.IsValid() || !destination.IsValid():
		return errors.New("selector without source or destination")
	case source.Addr().Is4() != destination.Addr().Is4():
		return fmt.Errorf("selector %s is of two IP versions", s)
	}
	return nil
}

func validateLifetime(lifetime, margin time.Duration) error {
	if lifetime < time.Second || margin < 0 || margin >= lifetime {
		return fmt.Errorf("lifetime %v to be renewed %v before its end", lifetime, margin)
	}
	return nil
}
