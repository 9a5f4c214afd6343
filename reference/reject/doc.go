// Package reject keeps account of what a core refused: each refusal is counted under the requirement that was broken, and
// logged unless the same guard has been logged too often of late. The count, the log line and the error say the same
// requirement, because all three come from the guard.
package reject
