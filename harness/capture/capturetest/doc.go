// Package capturetest makes up GDOI conversations for tests of what reads captures: registrations, rekeys,
// acknowledgements and group traffic with exact cryptography, the frames and the keys that go with them. It keeps no
// state machine: it writes what was told, right or wrong, in the order it was told.
package capturetest
