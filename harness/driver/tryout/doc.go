// Package tryout tries a driver out, method by method, without running a specification, and says in plain lines what is wrong with it. It
// believes nothing: what a driver says that it can is asked of it, what it says that it cannot is asked of it too, and after a stop it is
// looked for what it has left.
package tryout
