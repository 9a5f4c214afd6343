// Package yamldoc reads configuration files strictly and says what is wrong with them in lines that a person can act on:
//
//	ks.yaml:14:9: groups[0].id: 0 is out of range; it must be from 1 to 4294967295
//
// The reader walks the syntax tree instead of decoding into structures, so that one run finds every fault and each has its
// place. Unknown and repeated fields are faults; so are the parts of YAML by which a file says something other than it
// seems to say: anchors, aliases, merge keys, tags and further documents.
package yamldoc
