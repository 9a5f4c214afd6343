// Package algorithms has the generated tables: every combination of the algorithms of Phase 1, of the Rekey SA with its
// signatures, and of ESP registers a member, rekeys it and carries traffic. Beside them stand the specs of what is off by
// default and of values that a device must refuse.
package algorithms
