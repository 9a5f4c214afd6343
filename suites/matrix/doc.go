// Package matrix has every two peers meet: each that this program has a manifest of, or that is named, as the key server of each as
// the member, on each fabric. What they come to is the verdict of the specs that are about two devices (kit.Scene), in a run of the
// pair's own; an IKE daemon that knows no GDOI meets our own side of what it knows. Who is not on this machine is shown with what was looked for, and
// what a peer does not do with its declaration.
package matrix
