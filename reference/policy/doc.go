// Package policy holds the plain values of a group: what is protected, with which algorithms and keys, for how long.
//
// They belong to the group and not to the protocol that carries them: a Download is what a member gets when it
// registers, a Rekey is what changes later, whichever message brings it (RFC 6407 §3 and §4 are one carrier). The values
// encode nothing, send nothing and read no clock.
//
// What algorithms there are, with the lengths of their keys and IVs, says one table each of ESP transforms, integrity
// algorithms and ciphers of a KEK: Cipher.Form, Integrity.Form, KEKCipher.Form. Numbers are those of the registries of IKEv1
// and GDOI. What has a Weak method is off unless a configuration allows it.
//
// Beside them stand the configuration files of a node: ParseKeyServer and ParseMember make values of YAML and
// MarshalKeyServer and MarshalMember the reverse, all without files; LoadKeyServer and LoadMember read the files.
package policy
