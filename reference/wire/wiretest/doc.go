// Package wiretest helps the tests of codecs: golden octets from annotated files, and what has to hold for any input.
package wiretest
