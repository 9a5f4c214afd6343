// Package verdict turns the results of a run into reports, and the traffic of a spec into evidence.
//
// All reports come from one Run value, so that report.html, report.json and junit.xml never disagree. Each spec's
// evidence is a folder of its own: the capture, the keys in the form Wireshark loads, the decoded conversation, syslog
// lines, control answers, and the command that repeats it. With redaction no key and no secret is in any of them.
package verdict
