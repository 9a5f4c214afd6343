// Package all links every suite into a program.
package all
