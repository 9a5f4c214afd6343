package policy

import "github.com/gdoilab/gdoilab/reference/yamldoc"

func wordOf[T comparable](names yamldoc.Names[T], value T) string {
	name, _ := names.Of(value)
	return name
}

// Word returns the mode's word in configuration files, and "" if it has none.
func (m Mode) Word() string { return wordOf(modes, m) }

// Word returns the direction's word in configuration files, and "" if it has none.
func (d Direction) Word() string { return wordOf(directions, d) }

// Word returns the hash's word in configuration files, and "" if it has none.
func (h SigHash) Word() string { return wordOf(sigHashes, h) }

// Word returns the type's word in configuration files, and "" if it has none.
func (a AckType) Word() string { return wordOf(ackTypes, a) }

// Word returns the cipher's word in configuration files, and "" if it has none.
func (t KEKTransform) Word() string { return wordOf(kekTransforms, t) }

// Word is the word for an algorithm of signatures: rsa, ecdsa-256.
func (a SigAlgorithm) Word() string {
	switch a {
	case SigRSA:
		return "rsa"
	case SigECDSA256:
		return "ecdsa-256"
	case SigECDSA384:
		return "ecdsa-384"
	case SigECDSA521:
		return "ecdsa-521"
	}
	return ""
}

// Word is the word for a protocol: esp, ah.
func (p Protocol) Word() string {
	switch p {
	case ProtocolESP:
		return "esp"
	case ProtocolAH:
		return "ah"
	case ProtocolIEC61850:
		return "iec61850"
	}
	return ""
}
