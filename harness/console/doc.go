// Package console reads what a key server or a group member of GET VPN answers to an operator's commands: the text of a router, or
// of the reference. It does not know the commands. Releases differ in indentation, in spelling and in how many fields stand on a
// line, so a field is found by its label alone, in which case, blanks and hyphens do not matter.
package console
