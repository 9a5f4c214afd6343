package gdoimap

import (
	"encoding/asn1"
	"strconv"
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// oidOf is a name as it is sent (RFC 8052 §2.1). What is no object identifier is sent as none at all.
func oidOf(n policy.OIDName) isakmp.OIDIdentity {
	var numbers asn1.ObjectIdentifier
	for _, arc := range strings.Split(n.OID, ".") {
		number, err := strconv.Atoi(arc)
		if err != nil {
			return isakmp.OIDIdentity{Payload: []byte(n.Payload)}
		}
		numbers = append(numbers, number)
	}
	der, err := asn1.Marshal(numbers)
	if err != nil {
		return isakmp.OIDIdentity{Payload: []byte(n.Payload)}
	}
	return isakmp.OIDIdentity{OID: der, Payload: []byte(n.Payload)}
}

// readOID is the reverse of oidOf. It is not ok if the identifier is not in DER.
func readOID(i isakmp.OIDIdentity) (n policy.OIDName, ok bool) {
	var numbers asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(i.OID, &numbers)
	if err != nil || len(rest) > 0 {
		return policy.OIDName{Payload: string(i.Payload)}, false
	}
	return policy.OIDName{OID: numbers.String(), Payload: string(i.Payload)}, true
}

// GroupOID is the identity of a group that has a name of its own (RFC 8052 §2.1).
func GroupOID(n policy.OIDName) (gdoi.ID, error) {
	data, err := oidOf(n).Append(nil)
	return gdoi.ID{IDType: isakmp.IDOID, Data: data}, err
}

// ReadGroupOID is the reverse of GroupOID. It is not ok for data that names no group.
func ReadGroupOID(data []byte) (n policy.OIDName, ok bool) {
	i, err := isakmp.ParseOIDIdentity(data, 0)
	if err != nil {
		return n, false
	}
	return readOID(i)
}
