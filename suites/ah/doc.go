// Package ah tests groups whose traffic is protected by the Authentication Header instead of ESP (RFC 4302): SATs of Protocol-ID 2,
// their keys, and packets in tunnel and transport mode, which anybody can read and nobody can change.
package ah
