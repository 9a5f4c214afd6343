package tester

import (
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Where RFC 8052 says what these deviations break.
const (
	sectionIECTraffic    = "RFC 8052 §2.2"
	sectionIECAlgorithm  = "RFC 8052 §4"
	sectionIECEncryption = "RFC 8052 §2.2.3"
	sectionIECAttribute  = "RFC 8052 §2.2.4"
	sectionIECKey        = "RFC 8052 §2.3"
)

// editIEC changes the SATs of IEC 61850 inside the SA payload.
func editIEC(kind core.Kind, what, section string, change func(*gdoi.SATIEC61850)) Deviation {
	d := EditSA(kind, what, func(sa *gdoi.SA) {
		editAttribute(sa, func(t *gdoi.SAT) {
			if t.IEC61850 != nil {
				body := *t.IEC61850
				change(&body)
				t.IEC61850 = &body
			}
		})
	})
	d.Section = section
	return d
}

// IECTraffic has SATs of IEC 61850 name their traffic by these octets instead of an OID in DER (RFC 8052 §2.2).
func IECTraffic(kind core.Kind, oid []byte) Deviation {
	return editIEC(kind, fmt.Sprintf("OID %x", oid), sectionIECTraffic, func(s *gdoi.SATIEC61850) { s.Traffic.OID = oid })
}

// IECSPI gives SATs of IEC 61850 that SPI (RFC 8052 §2.2).
func IECSPI(kind core.Kind, spi uint32) Deviation {
	return editIEC(kind, fmt.Sprintf("SPI %d", spi), sectionIECTraffic, func(s *gdoi.SATIEC61850) { s.SPI = spi })
}

// IECAuthentication has SATs of IEC 61850 name that authentication algorithm (RFC 8052 §4).
func IECAuthentication(kind core.Kind, algorithm uint16) Deviation {
	return editIEC(kind, fmt.Sprintf("authentication algorithm %d", algorithm), sectionIECAlgorithm,
		func(s *gdoi.SATIEC61850) { s.Authentication = algorithm })
}

// IECEncryption has SATs of IEC 61850 name that confidentiality algorithm (RFC 8052 §4).
func IECEncryption(kind core.Kind, algorithm uint16) Deviation {
	return editIEC(kind, fmt.Sprintf("confidentiality algorithm %d", algorithm), sectionIECAlgorithm,
		func(s *gdoi.SATIEC61850) { s.Encryption = algorithm })
}

// IECUnauthenticated has SATs of IEC 61850 encrypt by that algorithm and authenticate nothing (RFC 8052 §2.2.3).
func IECUnauthenticated(kind core.Kind, encryption uint16) Deviation {
	return editIEC(kind, fmt.Sprintf("confidentiality algorithm %d without authentication", encryption), sectionIECEncryption,
		func(s *gdoi.SATIEC61850) { s.Encryption, s.Authentication = encryption, gdoi.IECAuthNone })
}

// IECAttributes has SATs of IEC 61850 end with these attributes (RFC 8052 §2.2.4).
func IECAttributes(kind core.Kind, what string, as ...wire.Attribute) Deviation {
	return editIEC(kind, what, sectionIECAttribute, func(s *gdoi.SATIEC61850) { s.Attributes = append(slices.Clone(s.Attributes), as...) })
}

// IECLifetime has SATs of IEC 61850 say that so many seconds are left (RFC 8052 §2.2).
func IECLifetime(kind core.Kind, seconds uint32) Deviation {
	return editIEC(kind, fmt.Sprintf("a remaining lifetime of %d s", seconds), sectionIECTraffic,
		func(s *gdoi.SATIEC61850) { s.Remaining = seconds })
}

// KeyOctets gives a key of TEK packets so many octets: cut short, or with zeros behind it (RFC 8052 §2.3).
func KeyOctets(kind core.Kind, number uint16, octets int) Deviation {
	name := gdoi.TEKKeyAttribute(number).String()
	d := EditKeys(kind, gdoi.KDTypeTEK, fmt.Sprintf("%s of %d octets", name, octets), func(p *gdoi.KeyPacket) {
		for i := range p.Attributes {
			if p.Attributes[i].Type == number {
				p.Attributes[i].Value = append(slices.Clone(p.Attributes[i].Value), make([]byte, octets)...)[:octets]
			}
		}
	})
	d.Section = sectionIECKey
	return d
}

// GroupOID asks for the group of an object identifier in the first PULL message (RFC 8052 §2.1).
func GroupOID(what string, data []byte) Deviation {
	return Edit(core.Pull1, what, "RFC 8052 §2.1", func(id isakmp.ID) isakmp.Payload {
		id.IDType, id.Data = isakmp.IDOID, data
		return id
	})
}
