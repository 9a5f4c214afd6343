// Package refdriver drives the reference's own programs, gdoi-ks and gdoi-gm, by the contract of package driver. It is a driver like every
// other: a model to read, and the proof that the whole suite runs through the contract.
package refdriver
