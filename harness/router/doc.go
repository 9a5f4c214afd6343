// Package router talks to a router that is there already, as an operator does: it logs in over SSH, types lines, knows from prompts
// when an answer is complete and from patterns when a line was refused, and takes answers apart by rules. Prompts, patterns and
// rules are data; which router it is nobody here knows.
package router
