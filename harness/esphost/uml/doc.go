// Package uml makes a host of package esphost of the Linux kernel's own ESP. The kernel is one in user mode, a program like any other:
// the machine's own may have no ESP, and what is done in this one leaves nothing behind.
//
// The same file is two programs. As the one that starts the kernel it hides from it what old ones cannot cope with; as the kernel's
// init it loads the modules, installs states and policies, and serves on the console.
package uml
