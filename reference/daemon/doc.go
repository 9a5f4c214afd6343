// Package daemon is the key server and the group member as programs: their flags, configuration files, log and key log,
// and the commands by which an operator talks to one that runs. The programs gdoi-ks and gdoi-gm are little more than a
// call of KS or GM, and another program can be either of them in the same way.
//
// The exit code is 0 after a clean end, which SIGINT and SIGTERM bring about, 2 if the command line or the configuration
// is wrong, and 1 if something else failed.
package daemon
