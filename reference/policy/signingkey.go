package policy

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// minSigningBits is the size of the smallest RSA key that may sign PUSH messages.
const minSigningBits = 2048

// signingKey reads the file that a configuration names and returns the key as PKCS #8.
func signingKey(v yamldoc.Value, open ReadFile) []byte {
	path, ok := v.Text()
	if !ok {
		return nil
	}
	data, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		v.Problem("there is no file %q; name a PEM file with an RSA key, relative to this file", path)
		return nil
	}
	if err != nil {
		v.Problem("%v", err)
		return nil
	}
	der, err := decodeSigningKey(data)
	if err != nil {
		v.Problem("%q %v", path, err)
		return nil
	}
	return der
}

// decodeSigningKey takes PKCS #8 or PKCS #1 in PEM. Its errors follow the name of the file.
func decodeSigningKey(data []byte) ([]byte, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("holds no PEM; it must hold an RSA private key (PKCS #8 or PKCS #1)")
	}
	key, err := parsePrivateKey(block)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("holds a key of another kind; it must hold an RSA key")
	}
	if bits := private.N.BitLen(); bits < minSigningBits {
		return nil, fmt.Errorf("holds an RSA key of %d bits; it must have at least %d", bits, minSigningBits)
	}
	return x509.MarshalPKCS8PrivateKey(private)
}

func parsePrivateKey(block *pem.Block) (key any, err error) {
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("holds a PEM block %q; it must be PRIVATE KEY or RSA PRIVATE KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("holds a key that cannot be read: %w", err)
	}
	return key, nil
}
