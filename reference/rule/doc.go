// Package rule ties each check and each duty of the reference to the requirement that demands it.
//
// A guard is the one place in the reference where a requirement is enforced. It is declared once, as a package variable
// of the core that holds it, and carries the requirement's id from the catalogue, the role it binds and what kind it is:
//
//	Check   a yes-or-no condition on something received; its mutant lets everything pass
//	Bound   a comparison with a number; its mutants let everything pass, or move the number by one
//	Timer   a delay or lifetime; its mutants move it by one unit
//	Duty    an obligation of a sender; its mutant neglects it
//
// Declaring a guard enters it in a list (All), so that every mutant of the reference can be made mechanically.
// Switches say which guards are altered. They belong to one node, never to the process: tester and device share code,
// but a guard that is off in the device stays on in the tester. The zero Switches, and a nil one, alter nothing.
package rule
