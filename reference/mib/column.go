package mib

import "slices"

// Root is where the module begins: ciscoGdoiMIB.
var Root = OID{1, 3, 6, 1, 4, 1, 9, 9, 759}

// Column is an object of the module: a column of a table, or a scalar.
type Column struct {
	Name string
	OID  OID
	Kind Kind
}

// columns are all that are readable.
var columns []Column

// Columns lists every object of the module that can be read here.
func Columns() []Column { return slices.Clone(columns) }

// Known reports whether an identifier is of a readable object, whether or not it has that instance.
func Known(o OID) bool {
	return slices.ContainsFunc(columns, func(c Column) bool { return o.In(c.OID) })
}

func column(name string, kind Kind, below ...uint32) Column {
	c := Column{name, Root.with(below...), kind}
	columns = append(columns, c)
	return c
}

// entry declares the columns of a table from a number on.
func entry(prefix string, table []uint32, first uint32, of ...Column) []Column {
	for i := range of {
		of[i] = column(prefix+of[i].Name, of[i].Kind, slices.Concat(table, []uint32{1, first + uint32(i)})...)
	}
	return of
}

// The columns of the tables of groups, of key servers and of members.
var (
	GroupIDLength         = column("cgmGdoiGroupIdLength", Unsigned32, 1, 1, 1, 2)
	GroupName             = column("cgmGdoiGroupName", Octets, 1, 1, 1, 4)
	GroupMemberCount      = column("cgmGdoiGroupMemberCount", Unsigned32, 1, 1, 1, 5)
	GroupPeerKeyServers   = column("cgmGdoiGroupActivePeerKeyServerCount", Unsigned32, 1, 1, 1, 6)
	GroupRekeyRetransmits = column("cgmGdoiGroupLastRekeyRetransmits", Unsigned32, 1, 1, 1, 7)
	GroupRekeyTime        = column("cgmGdoiGroupLastRekeyTimeTaken", Unsigned32, 1, 1, 1, 8)

	KeyServerIDLength     = column("cgmGdoiKeyServerIdLength", Unsigned32, 1, 2, 1, 1, 2)
	KeyServerActiveKEK    = column("cgmGdoiKeyServerActiveKEK", Octets, 1, 2, 1, 1, 4)
	KeyServerRekeysPushed = column("cgmGdoiKeyServerRekeysPushed", Counter32, 1, 2, 1, 1, 5)
	KeyServerRole         = column("cgmGdoiKeyServerRole", Integer, 1, 2, 1, 1, 6)
	KeyServerMembers      = column("cgmGdoiKeyServerRegisteredGMs", Unsigned32, 1, 2, 1, 1, 7)

	MemberIDLength        = column("cgmGdoiGmIdLength", Unsigned32, 1, 2, 2, 1, 2)
	MemberKeyServerType   = column("cgmGdoiGmRegKeyServerIdType", Integer, 1, 2, 2, 1, 4)
	MemberKeyServerLength = column("cgmGdoiGmRegKeyServerIdLength", Unsigned32, 1, 2, 2, 1, 5)
	MemberKeyServer       = column("cgmGdoiGmRegKeyServerIdValue", Octets, 1, 2, 2, 1, 6)
	MemberActiveKEK       = column("cgmGdoiGmActiveKEK", Octets, 1, 2, 2, 1, 7)
	MemberRekeysReceived  = column("cgmGdoiGmRekeysReceived", Counter32, 1, 2, 2, 1, 8)
	MemberActiveTEKs      = column("cgmGdoiGmActiveTEKNum", Counter32, 1, 2, 2, 1, 9)
)

// kekColumns are those of a table of KEKs, which key servers and members have alike.
func kekColumns(prefix string, table ...uint32) []Column {
	return entry(prefix, table, 2,
		Column{Name: "KekSPI", Kind: Octets},
		Column{Name: "KekSrcIdType", Kind: Integer}, Column{Name: "KekSrcIdLength", Kind: Unsigned32},
		Column{Name: "KekSrcIdValue", Kind: Octets}, Column{Name: "KekSrcIdPort", Kind: Octets},
		Column{Name: "KekDstIdType", Kind: Integer}, Column{Name: "KekDstIdLength", Kind: Unsigned32},
		Column{Name: "KekDstIdValue", Kind: Octets}, Column{Name: "KekDstIdPort", Kind: Octets},
		Column{Name: "KekIpProtocol", Kind: Integer}, Column{Name: "KekMgmtAlg", Kind: Integer},
		Column{Name: "KekEncryptAlg", Kind: Integer}, Column{Name: "KekEncryptKeyLength", Kind: Unsigned32},
		Column{Name: "KekSigHashAlg", Kind: Integer}, Column{Name: "KekSigAlg", Kind: Integer},
		Column{Name: "KekSigKeyLength", Kind: Unsigned32}, Column{Name: "KekOakleyGroup", Kind: Integer},
		Column{Name: "KekOriginalLifetime", Kind: Unsigned32}, Column{Name: "KekRemainingLifetime", Kind: Unsigned32},
		Column{Name: "KekStatus", Kind: Integer})
}

// selectorColumns are those of a table of what TEKs protect.
func selectorColumns(prefix string, table ...uint32) []Column {
	return entry(prefix, table, 2,
		Column{Name: "TekSrcIdType", Kind: Integer}, Column{Name: "TekSrcIdLength", Kind: Unsigned32},
		Column{Name: "TekSrcIdValue", Kind: Octets}, Column{Name: "TekSrcIdPort", Kind: Octets},
		Column{Name: "TekDstIdType", Kind: Integer}, Column{Name: "TekDstIdLength", Kind: Unsigned32},
		Column{Name: "TekDstIdValue", Kind: Octets}, Column{Name: "TekDstIdPort", Kind: Octets},
		Column{Name: "TekSecurityProtocol", Kind: Integer})
}

// tekColumns are those of a table of TEKs.
func tekColumns(prefix string, table ...uint32) []Column {
	return entry(prefix, table, 2,
		Column{Name: "TekSPI", Kind: Octets}, Column{Name: "TekEncapsulationMode", Kind: Integer},
		Column{Name: "TekEncryptionAlgorithm", Kind: Integer}, Column{Name: "TekEncryptionKeyLength", Kind: Unsigned32},
		Column{Name: "TekIntegrityAlgorithm", Kind: Integer}, Column{Name: "TekIntegrityKeyLength", Kind: Unsigned32},
		Column{Name: "TekWindowSize", Kind: Unsigned32}, Column{Name: "TekOriginalLifetime", Kind: Unsigned32},
		Column{Name: "TekRemainingLifetime", Kind: Unsigned32}, Column{Name: "TekStatus", Kind: Integer})
}

// tables are those of the SAs of a role.
type tables struct{ keks, selectors, teks []Column }

var (
	ofKeyServer = tables{kekColumns("cgmGdoiKs", 1, 3, 1), selectorColumns("cgmGdoiKs", 1, 3, 3), tekColumns("cgmGdoiKs", 1, 3, 4)}
	ofMember    = tables{kekColumns("cgmGdoiGm", 1, 3, 2), selectorColumns("cgmGdoiGm", 1, 3, 5), tekColumns("cgmGdoiGm", 1, 3, 6)}
)

// Find returns the object of that name.
func Find(name string) (Column, bool) {
	i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return columns[i], true
}
