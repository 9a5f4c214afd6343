// Package selftest proves that the verdicts can fail: it breaks the device in one place at a time and sees whether a spec
// notices.
//
// The mutants are made mechanically from the guards of the reference: each check switched off, each bound moved by one
// and switched off, each timer a unit shorter and longer, each duty of a sender neglected. Every mutant meets the specs
// that could notice it, those of its own requirement first, in a worker process on the memory fabric. It is killed by a
// spec whose verdict is fail; inconclusive is not enough. A mutant that nobody can tell from the right thing is listed as
// equivalent, with the reason, in a file under equivalent/; one that is listed there and killed all the same is an error.
package selftest
