// Package cores names the protocol cores that are linked into a program, so that whoever drives one needs to know its name
// only. The reference's own are there from the start; Register adds others.
package cores
