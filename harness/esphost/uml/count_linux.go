package uml

import (
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// event is struct xfrm_aevent_id of linux/xfrm.h, by which a state's numbers are set.
type event struct {
	id     nl.XfrmUsersaId
	source nl.XfrmAddress
	flags  uint32
	reqid  uint32
}

func (e *event) Len() int { return int(unsafe.Sizeof(*e)) }

func (e *event) Serialize() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(e)), unsafe.Sizeof(*e))
}

// extended is struct xfrm_replay_state_esn without its bitmap.
type extended struct {
	words, sent, received, sentHigh, receivedHigh, window uint32
}

// count sets the last sequence number that a state has sent and received.
func count(s *netlink.XfrmState, last uint64) error {
	request := nl.NewNetlinkRequest(nl.XFRM_MSG_NEWAE, unix.NLM_F_REPLACE|unix.NLM_F_ACK)
	e := &event{id: nl.XfrmUsersaId{Spi: nl.Swap32(uint32(s.Spi)), Family: unix.AF_INET, Proto: uint8(s.Proto)}}
	e.id.Daddr.FromIP(s.Dst)
	e.source.FromIP(s.Src)
	request.AddData(e)
	kind, value := nl.XFRMA_REPLAY_VAL, (&nl.XfrmReplayState{OSeq: uint32(last), Seq: uint32(last)}).Serialize()
	if s.ESN {
		const wordBits = 32
		n := &extended{sent: uint32(last), received: uint32(last), sentHigh: uint32(last >> 32), receivedHigh: uint32(last >> 32),
			window: uint32(s.ReplayWindow), words: uint32(s.ReplayWindow+wordBits-1) / wordBits}
		value = append(unsafe.Slice((*byte)(unsafe.Pointer(n)), unsafe.Sizeof(*n)), make([]byte, 4*n.words)...)
		kind = nl.XFRMA_REPLAY_ESN_VAL
	}
	request.AddData(nl.NewRtAttr(kind, value))
	_, err := request.Execute(unix.NETLINK_XFRM, 0)
	return err
}
