package capture

// The blocks, options and link types of pcapng (draft-ietf-opsawg-pcapng §4, draft-ietf-opsawg-pcaplinktype).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockSimple    = 3
	blockPacket    = 6

	byteOrderMagic = 0x1a2b3c4d

	optionEnd        = 0
	optionComment    = 1
	optionIfName     = 2
	optionIfTSResol  = 9
	optionIfTSOffset = 14
	optionUserAppl   = 4

	linkEthernet = 1
	linkRaw      = 101
	linkLoop     = 108
	linkSLL      = 113
	linkIPv4     = 228
	linkIPv6     = 229
	linkRawBSD   = 12
	linkNull     = 0
)

// maxBlock bounds what a reader takes into memory for one frame.
const maxBlock = 1 << 24
