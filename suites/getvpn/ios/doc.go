// Package ios has the nodes of a lab configured as routers are: in the words of the vendor, which the reference reads. Specs replace
// lines of these texts and look at what the nodes then do.
package ios
