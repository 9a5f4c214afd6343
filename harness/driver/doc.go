// Package driver is the contract between the harness and what drives a device under test: how the device is placed, configured, started,
// told, asked and stopped, whatever it is. A driver is written once for each sort of device, by somebody who need not know this code.
//
//	harness                          driver                     device
//	   │  hello, capabilities           │                          │
//	   │  prepare, apply, start  ───►   │  places, configures it   │
//	   │  trigger, state, events ───►   │  tells and asks it       │
//	   │  stop, reset            ───►   │  leaves nothing of it    │
//
// In Go it is the interface Driver; who can do less embeds Unsupported. In every other language it is the same methods as JSON-RPC 2.0, one
// object on a line, over a program's standard input and output: Client is the harness's end of it, Serve that of a driver in Go.
// docs/peers.md explains it to those who write one, docs/schema/driver.schema.json is its form.
//
// A driver is believed in nothing that can be seen otherwise: what the wire shows goes before what it says.
package driver
