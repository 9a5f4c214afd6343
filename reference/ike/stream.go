package ike

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Stream is one exchange under an SA (a GROUPKEY-PULL, an Informational): its own Message ID and chain of IVs.
type Stream struct {
	sa        *SA
	exchange  isakmp.ExchangeType
	messageID uint32
	iv        []byte
}

// NewStream begins an exchange under the SA, one's own or one that the peer began.
func (sa *SA) NewStream(exchange isakmp.ExchangeType, messageID uint32) *Stream {
	sa.streams++
	sa.latest = messageID
	iv := sa.lastBlock
	if dutyStreamIV.Kept(sa.cfg.Rules) {
		iv = keymat.PhaseTwoIV(sa.suite.Hash, sa.lastBlock, messageID)
	}
	return &Stream{sa: sa, exchange: exchange, messageID: messageID, iv: iv}
}

// MessageID returns the Message ID.
func (s *Stream) MessageID() uint32 { return s.messageID }

// cipher is what the next message is encrypted with.
func (s *Stream) cipher() cipher { return cipher{s.sa.suite.Cipher(), s.sa.key, s.iv} }

// Seal makes an encrypted message of HASH and the payloads. It calls hash with the Message ID as on the wire and the octets
// that follow HASH, generic headers included. It fails only if a payload does not fit into its fields.
func (s *Stream) Seal(kind core.Kind, hash func(mid [4]byte, after []byte) []byte, ps []isakmp.Payload) (Datagram, error) {
	c := s.sa.cfg
	if !dutyVendorID.Kept(c.Rules) {
		ps = append(slices.Clip(ps), isakmp.VID{Data: []byte("gdoilab")})
	}
	o := &core.Outgoing{Kind: kind, Header: s.header(), Payloads: ps}
	message, iv, err := c.build(o, func(o *core.Outgoing) error {
		after, err := isakmp.AppendPayloads(nil, o.Payloads)
		if err != nil {
			return err
		}
		var mid [4]byte
		binary.BigEndian.PutUint32(mid[:], o.Header.MessageID)
		o.Payloads = slices.Concat([]isakmp.Payload{isakmp.Hash{Data: hash(mid, after)}}, o.Payloads)
		return nil
	}, s.cipher())
	if err != nil {
		return Datagram{}, err
	}
	s.iv = iv
	s.sa.protected += uint64(len(message.data))
	for _, d := range c.transmit(message, s.sa.peer) {
		d.From = s.sa.Local()
		return d, nil
	}
	return Datagram{Kind: kind, From: s.sa.Local(), To: s.sa.peer}, nil
}

// header makes the header of a message of this exchange.
func (s *Stream) header() isakmp.Header {
	c := s.sa.cfg
	if s.exchange == isakmp.ExchangePull {
		return s.pullHeader()
	}
	flags := isakmp.FlagEncryption
	if !dutyInfoProtected.Kept(c.Rules) {
		flags = 0
	}
	h := c.newHeader(s.sa.ci, s.sa.cr, s.exchange, flags)
	h.MessageID = s.messageID
	return h
}

func (s *Stream) pullHeader() isakmp.Header {
	r := s.sa.cfg.Rules
	h := isakmp.Header{
		InitiatorCookie: s.sa.ci,
		ResponderCookie: s.sa.cr,
		Version:         isakmp.Version10,
		Exchange:        isakmp.ExchangePull,
		Flags:           isakmp.FlagEncryption,
		MessageID:       s.messageID,
	}
	if !dutyPullCookies.Kept(r) {
		h.InitiatorCookie, h.ResponderCookie = h.ResponderCookie, h.InitiatorCookie
	}
	if !dutyPullVersion.Kept(r) {
		h.Version++
	}
	if !dutyPullExchange.Kept(r) {
		h.Exchange++
	}
	if !dutyPullEncrypted.Kept(r) {
		h.Flags = 0
	}
	return h
}

// Opened is a message that was decrypted and read, but not yet proven.
type Opened struct {
	Header   isakmp.Header
	Payloads []isakmp.Decoded // HASH is the first, but in a PULL only if the peer keeps to its form
	Hash     []byte           // body of HASH
	After    []byte           // octets of the payloads that follow HASH, as they came, without padding

	stream *Stream
	nextIV []byte
}

// Commit accepts the message: the next one is chained to it (RFC 2409 §10).
func (o *Opened) Commit() {
	o.stream.iv = o.stream.sa.cfg.advance(o.stream.iv, o.nextIV)
	o.stream.sa.protected += uint64(o.Header.Length)
}

// Open decrypts a message of this exchange and checks its header and form, but not its HASH. The chain of IVs stays where
// it is until Commit. The error is a *rule.Violation.
func (s *Stream) Open(data []byte, d isakmp.Dialect) (*Opened, error) {
	c := s.sa.cfg
	h, err := c.header(data)
	if err != nil {
		return nil, err
	}
	if err := s.checkHeader(h); err != nil {
		return nil, err
	}
	o := &Opened{Header: h, stream: s, nextIV: s.iv}
	body, block := bytes.Clone(data[isakmp.HeaderLen:]), 0
	if h.Flags&isakmp.FlagEncryption != 0 {
		if body, o.nextIV, err = c.decrypt(s.cipher(), body); err != nil {
			return nil, err
		}
		block = len(s.iv)
		if !dutyIVCommit.Kept(c.Rules) {
			s.iv = o.nextIV
		}
	}
	var octets []byte
	if o.Payloads, octets, err = c.chain(d, h.NextPayload, body, block); err != nil {
		return nil, err
	}
	if err := o.splitHash(octets); err != nil {
		return nil, err
	}
	return o, nil
}

// splitHash finds HASH and what it covers: all that follows it. In a PULL the form of each message says that HASH comes
// first, and that is for its receiver to check.
func (o *Opened) splitHash(octets []byte) error {
	leads := len(o.Payloads) > 0 && o.Payloads[0].Payload.Type() == isakmp.PayloadHASH
	if o.stream.exchange != isakmp.ExchangePull && !checkInfoHash.Holds(o.stream.sa.cfg.Rules, leads) {
		return checkInfoHash.Violated("HASH is not the first payload")
	}
	if hash, at, ok := isakmp.Find[isakmp.Hash](o.Payloads); ok {
		o.Hash = hash.Data
		o.After = octets[min(at.Offset-isakmp.HeaderLen+len(at.Raw), len(octets)):]
	}
	return nil
}

// checkHeader checks the header of a received message of this exchange.
func (s *Stream) checkHeader(h isakmp.Header) error {
	c := s.sa.cfg
	if !checkCookies.Holds(c.Rules, h.InitiatorCookie == s.sa.ci && h.ResponderCookie == s.sa.cr) {
		return checkCookies.Violated("cookies %s %s are not those of the SA", h.InitiatorCookie, h.ResponderCookie)
	}
	if !checkExchange.Holds(c.Rules, h.Exchange == s.exchange) {
		return checkExchange.Violated("exchange type %s instead of %s", h.Exchange, s.exchange)
	}
	if err := c.flags(h, isakmp.FlagEncryption); err != nil {
		return err
	}
	if s.exchange == isakmp.ExchangePull {
		return s.checkPullHeader(h)
	}
	return s.checkInfoHeader(h)
}

func (s *Stream) checkPullHeader(h isakmp.Header) error {
	r := s.sa.cfg.Rules
	if !checkPullVersion.Holds(r, h.Version == isakmp.Version10) {
		return checkPullVersion.Violated("PULL with version %#02x", h.Version)
	}
	if !checkPullMessageID.Holds(r, h.MessageID != 0 && h.MessageID == s.messageID) {
		return checkPullMessageID.Violated("PULL with Message ID %08x instead of %08x", h.MessageID, s.messageID)
	}
	if !checkPullEncrypted.Holds(r, h.Flags&isakmp.FlagEncryption != 0) {
		return checkPullEncrypted.Violated("PULL in clear")
	}
	return nil
}

func (s *Stream) checkInfoHeader(h isakmp.Header) error {
	r := s.sa.cfg.Rules
	if err := s.sa.cfg.version(h); err != nil {
		return err
	}
	if !checkMessageID.Holds(r, h.MessageID != 0 && h.MessageID == s.messageID) {
		return checkMessageID.Violated("%s with Message ID %08x instead of %08x", s.exchange, h.MessageID, s.messageID)
	}
	if !checkInfoProtected.Holds(r, h.Flags&isakmp.FlagEncryption != 0) {
		return checkInfoProtected.Violated("%s in clear about an established SA", s.exchange)
	}
	return nil
}
