// Package architecture holds the tests of the source tree's own shape: which way imports run, and that the protocol cores
// have no input, output, clock, goroutines or global randomness.
package architecture
