package isakmp

import "github.com/gdoilab/gdoilab/reference/wire"

// A Phase 1 SA is a chain of proposals, a proposal ends in a chain of transforms. In both, all payloads have one type.

type appendBody = func([]byte) ([]byte, error)

// appendNested appends a chain of payloads of one type; the last has Next Payload 0.
func appendNested[T any](b []byte, typ PayloadType, list []T, of func(*T) (Generic, appendBody)) ([]byte, error) {
	for i := range list {
		next := typ
		if i == len(list)-1 {
			next = PayloadNone
		}
		generic, body := of(&list[i])
		var err error
		if b, err = generic.append(b, next, body); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readNested reads a chain of payloads of one type, if there is anything left in r. It leaves what follows the chain.
func readNested[T any](r *wire.Reader, typ PayloadType, parse func(*Decoded) (T, error)) []T {
	var list []T
	for more := r.Len() > 0; more; {
		d := ReadGeneric(r)
		if d.Next != typ && d.Next != PayloadNone {
			r.Fail(d.Offset, typ.String()+" next payload", wire.ErrChain)
		}
		if r.Err() != nil {
			return nil
		}
		item, err := parse(&d)
		r.Adopt(err)
		list = append(list, item)
		more = d.Next == typ
	}
	return list
}
