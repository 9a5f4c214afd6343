package keymat

// WrapLKH encrypts IV and key of one key of a hierarchy under another, both as in KEK_ALGORITHM_KEY (RFC 6407 §5.6.3.2). RFC
// 6407 does not name the IV of that; it is the one of the encrypting key. The error is ErrKey or ErrBlocks: nothing can be
// padded, since the length of an encrypted key is told nowhere.
func (c Cipher) WrapLKH(under, data []byte) ([]byte, error) {
	if err := c.checkWrap(under, data); err != nil {
		return nil, err
	}
	wrapped, _, err := c.EncryptCBC(under[c.BlockSize():], under[:c.BlockSize()], data)
	return wrapped, err
}

// UnwrapLKH is the reverse of WrapLKH, with the same errors. Nothing tells whether it was the right key.
func (c Cipher) UnwrapLKH(under, wrapped []byte) ([]byte, error) {
	if err := c.checkWrap(under, wrapped); err != nil {
		return nil, err
	}
	data, _, err := c.DecryptCBC(under[c.BlockSize():], under[:c.BlockSize()], wrapped)
	return data, err
}

func (c Cipher) checkWrap(under, data []byte) error {
	switch {
	case len(under) <= c.BlockSize():
		return ErrKey
	case len(data)%c.BlockSize() != 0:
		return ErrBlocks
	}
	return nil
}
