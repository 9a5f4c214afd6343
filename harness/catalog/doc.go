// Package catalog reads the catalogues of requirements in fixtures/: what the RFCs demand of a key server and of a group
// member, one entry a demand, in words of our own, with a stimulus and an observation for each.
//
// It knows ids, roles and levels, and which spec claims which id; it judges nothing. An id that does not exist is an
// error that names the nearest ones that do.
//
// Every requirement has a class: specs test it, for each role that it binds, or its place in coverage-*.yaml says why not.
// Claims and places have to agree (Check), and what was tested once has to stay so (Lost).
package catalog
