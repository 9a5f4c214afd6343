//go:build race

package main

// slow says that the race detector makes every spec take several times as long.
const slow = true
