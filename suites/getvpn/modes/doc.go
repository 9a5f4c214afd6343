// Package modes tests in which directions a group of GET VPN protects its traffic while it is rolled out, and what a member does with
// traffic as long as it has no policy of its group, or has lost it.
//
//	h1 ── lan1 ── gm1 ════ wan ════ gm2 ── lan2 ── h2
//	             device            tester
//
// What a member is at can be seen of three packets: how one of its host leaves, and whether one in clear and one in ESP are delivered.
// Each spec says what these ought to show at each step.
//
//	ks.go         a key server whose group is receive-only, and no longer
//	receive.go    a member of such a group, step by step
//	passive.go    a member that is passive by its configuration or by its operator
//	failclose.go  before the first registration
//	revert.go     after the key servers were lost
package modes
