package policy

// MarshalKeyServer writes a key server's configuration as ParseKeyServer reads it. The signing key is not in it:
// signingKey is the path by which the configuration refers to it, SigningKeyPEM its content.
func MarshalKeyServer(k KeyServer, signingKey string) ([]byte, error) { return nil, nil }

// MarshalMember writes a group member's configuration as ParseMember reads it.
func MarshalMember(m Member) ([]byte, error) { return nil, nil }

// SigningKeyPEM returns the signing key as a file for LoadKeyServer.
func SigningKeyPEM(k KeyServer) []byte { return nil }
