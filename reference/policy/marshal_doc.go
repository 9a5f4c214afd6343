package policy

// The structures of configuration files as the YAML encoder wants them. The readers do not use them: they walk the file.

type keyServerDoc struct {
	Name       string               `yaml:"name"`
	Profile    string               `yaml:"profile,omitempty"`
	Address    string               `yaml:"address"`
	Replay     *replayAttributesDoc `yaml:"replay_attributes,omitempty"`
	SigningKey string               `yaml:"signing_key,omitempty"`
	Phase1     phase1Doc            `yaml:"phase1"`
	Groups     []groupDoc           `yaml:"groups"`
	SNMP       *snmpDoc             `yaml:"snmp,omitempty"`
	Console    *consoleDoc          `yaml:"console,omitempty"`
	Log        *logDoc              `yaml:"log,omitempty"`
	routerDoc  `yaml:",inline"`
}

type memberDoc struct {
	Name          string        `yaml:"name"`
	Profile       string        `yaml:"profile,omitempty"`
	Address       string        `yaml:"address"`
	OtherAddress  string        `yaml:"other_address,omitempty"`
	KeyServers    []string      `yaml:"key_servers,omitempty"`
	Group         uint32        `yaml:"group,omitempty"`
	GroupOID      *oidDoc       `yaml:"group_oid,omitempty"`
	GroupName     string        `yaml:"group_name,omitempty"`
	IEC61850      bool          `yaml:"iec61850,omitempty"`
	Phase1        phase1Doc     `yaml:"phase1"`
	Authorised    []selectorDoc `yaml:"authorised,omitempty"`
	Inside        []string      `yaml:"inside,omitempty"`
	Joins         []streamDoc   `yaml:"joins,omitempty"`
	FailOpen      bool          `yaml:"fail_open,omitempty"`
	MTU           int           `yaml:"mtu,omitempty"`
	ReplayWindow  int           `yaml:"replay_window,omitempty"`
	FirstSequence uint64        `yaml:"first_sequence,omitempty"`
	RetryDelay    string        `yaml:"retry_delay,omitempty"`
	ReRegister    string        `yaml:"re_register,omitempty"`
	SIDRequest    int           `yaml:"sid_request,omitempty"`
	OnDemand      bool          `yaml:"on_demand,omitempty"`
	Passive       bool          `yaml:"passive,omitempty"`
	FailClose     *failCloseDoc `yaml:"fail_close,omitempty"`

	Groups     []membershipDoc `yaml:"groups,omitempty"`
	Rekey      *memberRekeyDoc `yaml:"rekey,omitempty"`
	Client     *clientDoc      `yaml:"client,omitempty"`
	SNMP       *snmpDoc        `yaml:"snmp,omitempty"`
	Track      *trackDoc       `yaml:"track,omitempty"`
	AccessList []aceDoc        `yaml:"access_list,omitempty"`

	DenyProtocol uint8                `yaml:"deny_protocol,omitempty"`
	Replay       *replayAttributesDoc `yaml:"replay_attributes,omitempty"`
	Metadata     *metadataDoc         `yaml:"metadata,omitempty"`
	Zeros        bool                 `yaml:"zero_attributes,omitempty"`
	PacketRate   int                  `yaml:"packet_rate,omitempty"`
	IPsecFlows   int                  `yaml:"ipsec_flows,omitempty"`
	Log          *logDoc              `yaml:"log,omitempty"`
	Console      *consoleDoc          `yaml:"console,omitempty"`
	VRF          string               `yaml:"vrf,omitempty"`
	Namespace    string               `yaml:"namespace,omitempty"`
	VRFs         []memberDoc          `yaml:"vrfs,omitempty"`
	dataPathDoc  `yaml:",inline"`
}

type membershipDoc struct {
	ID         uint32        `yaml:"id"`
	Name       string        `yaml:"name,omitempty"`
	GroupOID   *oidDoc       `yaml:"oid,omitempty"`
	KeyServers []string      `yaml:"key_servers,omitempty"`
	Authorised []selectorDoc `yaml:"authorised,omitempty"`
	SIDRequest int           `yaml:"sid_request,omitempty"`
	Track      *trackDoc     `yaml:"track,omitempty"`
	Passive    bool          `yaml:"passive,omitempty"`
}

type memberRekeyDoc struct {
	AcceptSHA1 bool   `yaml:"accept_sha1,omitempty"`
	SigForm    string `yaml:"signature_form,omitempty"`
	KEK        string `yaml:"kek,omitempty"`
	TellMissed bool   `yaml:"tell_missed,omitempty"`
}

type dataPathDoc struct {
	Transport bool      `yaml:"transport,omitempty"`
	Peers     []peerDoc `yaml:"peers,omitempty"`
	DF        string    `yaml:"df,omitempty"`
	Fragment  string    `yaml:"fragment,omitempty"`
	DSCP      *uint8    `yaml:"dscp,omitempty"`
	TTL       int       `yaml:"ttl,omitempty"`
	PMTUAge   string    `yaml:"pmtu_age,omitempty"`
	Resync    resyncDoc `yaml:"esn_resync,omitempty"`
	TFC       tfcDoc    `yaml:"tfc,omitempty"`
	Own       []ownDoc  `yaml:"own_policy,omitempty"`
}

type tfcDoc struct {
	PadTo      int `yaml:"pad_to,omitempty"`
	DummyAfter int `yaml:"dummy_after,omitempty"`
}

type ownDoc struct {
	selectorDoc `yaml:",inline"`
	Action      string `yaml:"action"`
	Direction   string `yaml:"direction"`
}

type resyncDoc struct {
	Failures int `yaml:"failures,omitempty"`
	Cycles   int `yaml:"cycles,omitempty"`
}

type peerDoc struct {
	Network string `yaml:"network"`
	Gateway string `yaml:"gateway"`
}

type phase1Doc struct {
	Identity     string           `yaml:"identity,omitempty"`
	Peers        []string         `yaml:"peers,omitempty"`
	Certificates *certificatesDoc `yaml:"certificates,omitempty"`
	Proposals    []proposalDoc    `yaml:"proposals,omitempty"`
	AllowWeak    bool             `yaml:"allow_weak,omitempty"`
	Mode         string           `yaml:"mode,omitempty"`
	ClearProof   bool             `yaml:"clear_proof,omitempty"`
	AnySituation bool             `yaml:"any_situation,omitempty"`
	FromZero     bool             `yaml:"transforms_from_zero,omitempty"`
	Prefer       string           `yaml:"prefer,omitempty"`
	Kilobytes    int              `yaml:"kilobytes,omitempty"`
	DPD          string           `yaml:"dpd,omitempty"`
	Lifetime     string           `yaml:"lifetime,omitempty"`
	Retransmit   string           `yaml:"retransmit,omitempty"`
	Retries      int              `yaml:"retries,omitempty"`
	HalfOpen     *halfOpenDoc     `yaml:"half_open,omitempty"`
	Established  int              `yaml:"established,omitempty"`
	PSKs         []pskDoc         `yaml:"psks,omitempty"`

	NATTraversal bool   `yaml:"nat_traversal,omitempty"`
	Keepalive    string `yaml:"keepalive,omitempty"`
}

type halfOpenDoc struct {
	Total      int `yaml:"total,omitempty"`
	PerAddress int `yaml:"per_address,omitempty"`
}

type certificatesDoc struct {
	Chain   string `yaml:"chain"`
	Key     string `yaml:"key"`
	Anchors string `yaml:"anchors"`
	CRLs    string `yaml:"crls,omitempty"`
	Known   string `yaml:"known,omitempty"`
}

type proposalDoc struct {
	Authentication string `yaml:"authentication,omitempty"`
	Encryption     string `yaml:"encryption"`
	Hash           string `yaml:"hash"`
	Group          string `yaml:"group"`
}

type pskDoc struct {
	Peer     string `yaml:"peer,omitempty"`
	Identity string `yaml:"identity,omitempty"`
	Key      string `yaml:"key"`
}

type groupDoc struct {
	Name       string         `yaml:"name"`
	ID         uint32         `yaml:"id"`
	OID        *oidDoc        `yaml:"oid,omitempty"`
	Members    *[]string      `yaml:"members,omitempty"`
	SIDBits    int            `yaml:"sid_bits,omitempty"`
	SIDRange   *sidRangeDoc   `yaml:"sid_range,omitempty"`
	Rekey      *rekeyDoc      `yaml:"rekey,omitempty"`
	Activation *activationDoc `yaml:"activation,omitempty"`

	Zeros         bool              `yaml:"zero_attributes,omitempty"`
	DenyProtocol  uint8             `yaml:"deny_protocol,omitempty"`
	Authorization *authorizationDoc `yaml:"authorization,omitempty"`
	ReceiveOnly   bool              `yaml:"receive_only,omitempty"`
	PacketRate    int               `yaml:"packet_rate,omitempty"`

	SAs []any `yaml:"sas"` // saDoc or iecSADoc
}

type sidRangeDoc struct {
	First uint32 `yaml:"first"`
	Last  uint32 `yaml:"last"`
}

type rekeyDoc struct {
	Transport   string `yaml:"transport"`
	Address     string `yaml:"address,omitempty"`
	KEKLifetime string `yaml:"kek_lifetime,omitempty"`
	Margin      string `yaml:"margin,omitempty"`
	Retransmit  int    `yaml:"retransmit,omitempty"`
	Interval    string `yaml:"interval,omitempty"`
	Ack         string `yaml:"ack"`
	Cipher      string `yaml:"cipher,omitempty"`
	SigHash     string `yaml:"sig_hash,omitempty"`
	SigForm     string `yaml:"signature_form,omitempty"`
	Management  string `yaml:"management,omitempty"`
	Updates     int    `yaml:"updates,omitempty"`
	Sync        string `yaml:"pseudotime_sync,omitempty"`
	Backward    bool   `yaml:"backward_access_control,omitempty"`
	KEK         string `yaml:"kek,omitempty"`
	Reminders   bool   `yaml:"reminders,omitempty"`
}

type activationDoc struct {
	ATD string `yaml:"atd,omitempty"`
	DTD string `yaml:"dtd,omitempty"`
}

type selectorDoc struct {
	Source          string `yaml:"source,omitempty"`
	Destination     string `yaml:"destination,omitempty"`
	Protocol        any    `yaml:"protocol,omitempty"` // a name, or the number of a protocol that has none
	SourcePort      uint16 `yaml:"source_port,omitempty"`
	DestinationPort uint16 `yaml:"destination_port,omitempty"`
}

type iecSADoc struct {
	IEC61850 *iecDoc `yaml:"iec61850"`
	Lifetime string  `yaml:"lifetime,omitempty"`
}

type saDoc struct {
	selectorDoc  `yaml:",inline"`
	Also         []selectorDoc `yaml:"also,omitempty"`
	AccessList   []aceDoc      `yaml:"access_list,omitempty"`
	IPsecProfile string        `yaml:"ipsec_profile,omitempty"`
	Transform    string        `yaml:"transform"`
	ESN          bool          `yaml:"esn,omitempty"`
	Mode         string        `yaml:"mode"`
	Preservation string        `yaml:"preservation"`
	Direction    string        `yaml:"direction"`
	Lifetime     string        `yaml:"lifetime,omitempty"`
	AntiReplay   any           `yaml:"anti_replay,omitempty"` // a word or an antiReplayDoc
	Tag          string        `yaml:"tag,omitempty"`
}

type streamDoc struct {
	Group     string `yaml:"group"`
	Interface string `yaml:"interface"`
	Source    string `yaml:"source,omitempty"`
}
