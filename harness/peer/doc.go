// Package peer says what a device under test is: a manifest, one YAML file. It tells how the device is started, how its
// configuration is made of the group's policy, how it is asked and told, where its log comes from, what it can do and what
// is known to fail. docs/peers.md explains it to those who write one; docs/schema/peer.schema.json is its form.
//
// The reference is a peer with a manifest like every other (fixtures/peers/reference.yaml). Nothing above this package knows
// a device in another way.
//
// A manifest is data. Whoever has a network starts the device: a fabric without a kernel takes the Core, by its name in
// package cores; one with a kernel takes the Process, whose command, files and paths Launch renders.
package peer
