// Package container runs devices in containers, through testcontainers-go: package lab's Engine. A program that imports it
// has containers; nothing else below the suites' command does, so that everything else is built and tested without it.
//
// The harness makes the images that it needs itself, of files of this machine, and fetches none. What it starts carries its
// owner's mark in a label, by which a later run finds and removes what a killed one left behind; there is no other reaper.
package container
