// Package operator asks a running node over its control socket: what an operator's command does, and what a test does that
// watches a daemon from outside. Package control has the words.
package operator
