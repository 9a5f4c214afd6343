// Package change tests what a key server of Cisco GET VPN does when its policy is another while it runs: which changes have it tell its
// members at once, which wait, and when the traffic of the members follows.
package change
