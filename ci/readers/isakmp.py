"""The payloads of ISAKMP and GDOI taken apart: names, octets, lengths; nothing of keys.

Offsets count from the start of the ISAKMP header.
"""

import struct

import capfile

HEADER = 28
IDENTITY_PROTECTION, AGGRESSIVE, INFORMATIONAL, PULL, PUSH, PUSH_ACK = 2, 4, 5, 32, 33, 35
SA, P, T, KE, ID, CERT, CR, HASH, SIG, NONCE, N, D, VID = range(1, 14)
SAK, SAT, KD, SEQ, NAT_OA, GAP = 15, 16, 17, 18, 21, 22
DENY = 240      # Protocol-ID of the SAT of a deny entry of an access list (docs/getvpn.md)

PAYLOADS = {
    1: "SA", 2: "P", 3: "T", 4: "KE", 5: "ID", 6: "CERT", 7: "CR", 8: "HASH", 9: "SIG", 10: "NONCE", 11: "N", 12: "D",
    13: "VID", 14: "ATTR", 15: "SAK", 16: "SAT", 17: "KD", 18: "SEQ", 19: "POP", 20: "NAT-D", 21: "NAT-OA", 22: "GAP",
}
PHASE1_ATTRIBUTES = {
    1: "Encryption Algorithm", 2: "Hash Algorithm", 3: "Authentication Method", 4: "Group Description",
    5: "Group Type", 6: "Group Prime", 7: "Group Generator One", 8: "Group Generator Two", 9: "Group Curve A",
    10: "Group Curve B", 11: "Life Type", 12: "Life Duration", 13: "PRF", 14: "Key Length", 15: "Field Size",
    16: "Group Order",
}
KEK_ATTRIBUTES = {
    1: "KEK_MANAGEMENT_ALGORITHM", 2: "KEK_ALGORITHM", 3: "KEK_KEY_LENGTH", 4: "KEK_KEY_LIFETIME",
    5: "SIG_HASH_ALGORITHM", 6: "SIG_ALGORITHM", 7: "SIG_KEY_LENGTH", 9: "KEK_ACK_REQUESTED",
}
GAP_ATTRIBUTES = {1: "ACTIVATION_TIME_DELAY", 2: "DEACTIVATION_TIME_DELAY", 3: "SENDER_ID_REQUEST"}
SA_ATTRIBUTES = {
    1: "SA Life Type", 2: "SA Life Duration", 3: "Group Description", 4: "Encapsulation Mode",
    5: "Authentication Algorithm", 6: "Key Length", 7: "Key Rounds", 8: "Compress Dictionary Size",
    9: "Compress Private Algorithm", 10: "ECN Tunnel", 11: "Extended (64-bit) Sequence Number",
    12: "Authentication Key Length", 13: "Signature Encoding Algorithm", 14: "Address Preservation",
    15: "SA Direction",
    # of GET VPN, from the numbers for private use (docs/getvpn.md)
    32001: "Anti-Replay Window (packets)", 32002: "Anti-Replay Window (seconds)", 32003: "Anti-Replay Tick (milliseconds)",
    32004: "Pseudotime", 32005: "Tag Method",
}
IEC_ATTRIBUTES = {1: "SA_ATD", 2: "SA_KDA"}
ID_SIZES = {1: 4, 4: 8, 5: 16, 6: 32, 7: 8, 8: 32}
KD_TYPES = {1: "TEK", 2: "KEK", 3: "LKH", 4: "SID"}
KD_ATTRIBUTES = {
    1: {1: "TEK_ALGORITHM_KEY", 2: "TEK_INTEGRITY_KEY", 3: "TEK_SOURCE_AUTH_KEY"},
    2: {1: "KEK_ALGORITHM_KEY", 2: "SIG_ALGORITHM_KEY"},
    3: {1: "LKH_DOWNLOAD_ARRAY", 2: "LKH_UPDATE_ARRAY", 3: "SIG_ALGORITHM_KEY"},
    4: {1: "NUMBER_OF_SID_BITS", 2: "SID_VALUE"},
}

SK, SKF = 46, 53        # what IKEv2 encrypts is in one of these (RFC 7296 §3.14, RFC 7383 §2.5)


class Malformed(Exception):
    """The octets break the form of a message."""

    def __init__(self, text, offset):
        super().__init__("%s at octet %d" % (text, offset))
        self.offset = offset


class Node:
    """A payload, attribute, key packet or field: what it is, where it is, its value if it has one."""

    __slots__ = ("name", "kind", "number", "offset", "length", "value", "kids", "fits")

    def __init__(self, name, kind, number, offset, length, value=None):
        self.name, self.kind, self.number = name, kind, number
        self.offset, self.length, self.value, self.kids = offset, length, value, []
        self.fits = True  # False: its length runs out of what surrounds it

    def walk(self, prefix=""):
        path = prefix + "/" + self.name if prefix else self.name
        yield path, self
        for kid in self.kids:
            yield from kid.walk(path)

    def all(self):
        """The node and everything in it."""
        yield self
        for kid in self.kids:
            yield from kid.all()

    def find(self, name):
        for kid in self.kids:
            if kid.name == name:
                return kid
        return None

    def get(self, name, default=None):
        kid = self.find(name)
        return default if kid is None else kid.value

    def attribute(self, number, default=None):
        for kid in self.kids:
            if kid.kind == "attribute" and kid.number == number:
                return number_of(kid.value)
        return default


def number_of(value):
    return int.from_bytes(value, "big") if isinstance(value, (bytes, bytearray)) else value


def is_ikev2(head):
    """Whether a header is one of IKEv2 from end to end, and not some octets of a cookie that look like its version."""
    return head["version"] >> 4 == 2 and head["next_payload"] >= 33 and head["exchange"] >= 34 and \
        HEADER <= head["length"] < 1 << 16


def ikev2_chain(data, head):
    """The payloads of an IKEv2 message by their generic headers (RFC 7296 §3.2), whether one holds what is encrypted, and what is wrong."""
    nodes, at, kind = [], HEADER, head["next_payload"]
    while kind:
        size = int.from_bytes(data[at + 2:at + 4], "big")
        if size < 4 or at + size > len(data):
            return nodes, False, "payload length at octet %d" % (at + 2)
        nodes.append(Node(str(kind), "payload", kind, at, size))
        if kind in (SK, SKF):
            return nodes, True, None
        kind, at = data[at], at + size
    return nodes, False, None


class Parser:
    """Reads the payloads of one message whose octets are all there."""

    def __init__(self, data, exchange):
        self.data, self.exchange = data, exchange
        self.remarks = []       # breaches that do not stop the reading
        self.phase1, self.gdoi = exchange in (1, 2, 4), exchange in (PULL, PUSH, PUSH_ACK)

    def need(self, at, size, end, what):
        if at + size > end:
            raise Malformed("%s is cut short" % what, at)

    def field(self, node, name, at, size, end, raw=False):
        self.need(at, size, end, name)
        data = self.data[at:at + size]
        node.kids.append(Node(name, "field", 0, at, size, data if raw else int.from_bytes(data, "big")))
        return at + size

    def zero(self, node, at, size, end, what):
        self.need(at, size, end, what)
        if any(self.data[at:at + size]):
            self.field(node, "RESERVED", at, size, end)
            self.remarks.append("%s is not 0 at octet %d" % (what, at))
        return at + size

    def chain(self, nodes, kind, at, end, allowed=None):
        """Reads generic payloads from at; returns where the last one ended."""
        while kind:
            if allowed is not None and kind not in allowed:
                self.remarks.append("payload type %d has no place here at octet %d" % (kind, at))
            self.need(at, 4, end, "generic payload header")
            following, _, length = struct.unpack_from(">BBH", self.data, at)
            node = Node(PAYLOADS.get(kind, "payload %d" % kind), "payload", kind, at, length)
            nodes.append(node)
            if length < 4 or at + length > end:
                node.fits = False
                raise Malformed("payload length %d" % length, at)
            self.zero(node, at + 1, 1, end, "reserved octet of a payload")
            if allowed is not None and kind not in allowed:
                node.value = self.data[at + 4:at + length]
            else:
                self.body(node, allowed is None)
            kind, at = following, at + length
        return at

    def body(self, node, top):
        at, end = node.offset + 4, node.offset + node.length
        if top and (node.number in (P, T, SAK, SAT) or not self.gdoi and node.number in (KD, SEQ, GAP)):
            self.remarks.append("%s has no place here at octet %d" % (node.name, node.offset))
            node.value = self.data[at:end]
            return
        reader = {SA: self.sa, P: self.proposal, T: self.transform, ID: self.identity, N: self.notification,
                  D: self.delete, SAK: self.sak, SAT: self.sat, GAP: self.gap, KD: self.kd, SEQ: self.seq,
                  CERT: self.certificate, CR: self.certificate}.get(node.number)
        if not self.gdoi and node.number == NAT_OA:
            reader = self.original_address
        if reader is None:
            node.value = self.data[at:end]
        else:
            reader(node, at, end)

    def attributes(self, node, at, end, names):
        while at < end:
            self.need(at, 4, end, "attribute")
            kind, word = struct.unpack_from(">HH", self.data, at)
            number = kind & 0x7fff
            name = names.get(number, "attribute %d" % number)
            if kind & 0x8000:
                attr = Node(name, "attribute", number, at, 4, word)
            else:
                attr = Node(name, "attribute", number, at, 4 + word)
                if at + 4 + word > end:
                    attr.fits = False
                    node.kids.append(attr)
                    raise Malformed("attribute length %d" % word, at)
                attr.value = self.data[at + 4:at + 4 + word]
            node.kids.append(attr)
            at += attr.length

    def sa(self, node, at, end):
        at = self.field(node, "DOI", at, 4, end)
        at = self.field(node, "Situation", at, 4, end)
        guess = not self.phase1 and not self.gdoi and self.data[at:at + 2] not in (b"\0\x0f", b"\0\x10", b"\0\x16")
        if self.phase1 or guess:
            at = self.chain(node.kids, P if at < end else 0, at, end, {P})
        else:
            at = self.field(node, "SA Attribute Next Payload", at, 2, end)
            first = node.kids[-1].value
            if first > 255:
                self.remarks.append("SA Attribute Next Payload %d at octet %d" % (first, at - 2))
                first &= 255
            at = self.zero(node, at, 2, end, "RESERVED2 of the SA")
            at = self.chain(node.kids, first, at, end, {SAK, SAT, GAP})
        if at != end:
            raise Malformed("SA is longer than what it holds", at)

    def proposal(self, node, at, end):
        for name in ("Number", "Protocol", "SPI Size", "Transforms"):
            at = self.field(node, name, at, 1, end)
        size = node.get("SPI Size")
        if size:
            at = self.field(node, "SPI", at, size, end, raw=True)
        kids = []
        try:
            at = self.chain(kids, T if at < end else 0, at, end, {T})
        finally:
            node.kids += kids
        if at != end:
            raise Malformed("proposal is longer than its transforms", at)
        if len(kids) != node.get("Transforms"):
            self.remarks.append("number of transforms is not what the proposal says at octet %d" % (node.offset + 7))

    def transform(self, node, at, end):
        at = self.field(node, "Number", at, 1, end)
        at = self.field(node, "Transform ID", at, 1, end)
        at = self.zero(node, at, 2, end, "RESERVED2 of the transform")
        self.attributes(node, at, end, PHASE1_ATTRIBUTES)

    def identity(self, node, at, end):
        at = self.field(node, "ID Type", at, 1, end)
        at = self.field(node, "Protocol", at, 1, end)
        at = self.field(node, "Port", at, 2, end)
        self.field(node, "Data", at, end - at, end, raw=True)
        self.check_id(node.get("ID Type"), node.get("Data"), at)

    def check_id(self, kind, data, at):
        if len(data) != ID_SIZES.get(kind, len(data)) or kind == 13 and not self.is_oid(data):
            self.remarks.append("identification data of %d octets for type %d at octet %d" % (len(data), kind, at))

    @staticmethod
    def is_oid(data):
        """Whether an OID with its length and a payload with its length fill the data."""
        size = data[0] if data else 0
        return len(data) >= 3 + size and len(data) == 3 + size + int.from_bytes(data[1 + size:3 + size], "big")

    def certificate(self, node, at, end):
        at = self.field(node, "Encoding", at, 1, end)
        self.field(node, "Data", at, end - at, end, raw=True)

    def original_address(self, node, at, end):
        at = self.field(node, "ID Type", at, 1, end)
        at = self.zero(node, at, 3, end, "RESERVED of a NAT-OA")
        self.field(node, "Address", at, end - at, end, raw=True)

    def notification(self, node, at, end):
        at = self.field(node, "DOI", at, 4, end)
        at = self.field(node, "Protocol", at, 1, end)
        at = self.field(node, "SPI Size", at, 1, end)
        at = self.field(node, "Type", at, 2, end)
        if node.get("SPI Size"):
            at = self.field(node, "SPI", at, node.get("SPI Size"), end, raw=True)
        if at < end:
            liveness = node.get("Type") in (36136, 36137)  # R-U-THERE and its answer (RFC 3706 section 5.3)
            self.field(node, "Sequence Number" if liveness else "Data", at, end - at, end, raw=True)

    def delete(self, node, at, end):
        at = self.field(node, "DOI", at, 4, end)
        at = self.field(node, "Protocol", at, 1, end)
        at = self.field(node, "SPI Size", at, 1, end)
        at = self.field(node, "SPIs", at, 2, end)
        size, count = node.get("SPI Size"), node.get("SPIs")
        if size * count != end - at:
            raise Malformed("%d SPIs of %d octets do not fill the Delete payload" % (count, size), at)
        for _ in range(count if size else 0):
            at = self.field(node, "SPI", at, size, end, raw=True)

    def endpoint(self, node, name, at, end):
        self.need(at, 4, end, name)
        kind, port, size = struct.unpack_from(">BHB", self.data, at)
        self.need(at + 4, size, end, name)
        spot = Node(name, "endpoint", 0, at, 4 + size)
        node.kids.append(spot)
        spot.kids = [Node("ID Type", "field", 0, at, 1, kind), Node("Port", "field", 0, at + 1, 2, port),
                     Node("Data Len", "field", 0, at + 3, 1, size),
                     Node("Data", "field", 0, at + 4, size, self.data[at + 4:at + 4 + size])]
        if size:
            self.check_id(kind, spot.kids[3].value, at)
        return at + 4 + size

    def sak(self, node, at, end):
        at = self.field(node, "Protocol", at, 1, end)
        at = self.endpoint(node, "Source", at, end)
        at = self.endpoint(node, "Destination", at, end)
        at = self.field(node, "SPI", at, 16, end, raw=True)
        at = self.zero(node, at, 4, end, "RESERVED2 of the SAK")
        self.attributes(node, at, end, KEK_ATTRIBUTES)

    def gap(self, node, at, end):
        self.attributes(node, at, end, GAP_ATTRIBUTES)

    def sat(self, node, at, end):
        at = self.field(node, "Protocol-ID", at, 1, end)
        proto = node.kids[-1].value
        if proto in (1, 2):
            at = self.field(node, "Protocol", at, 1, end)
            at = self.endpoint(node, "Source", at, end)
            at = self.endpoint(node, "Destination", at, end)
            at = self.field(node, "Transform ID", at, 1, end)
            at = self.field(node, "SPI", at, 4, end, raw=True)
            self.attributes(node, at, end, SA_ATTRIBUTES)
        elif proto == 3:
            at = self.field(node, "OID Length", at, 1, end)
            at = self.field(node, "OID", at, node.kids[-1].value, end, raw=True)
            at = self.field(node, "OID Payload Length", at, 2, end)
            at = self.field(node, "OID Payload", at, node.kids[-1].value, end, raw=True)
            at = self.field(node, "SPI", at, 4, end, raw=True)
            at = self.field(node, "Auth Alg", at, 2, end)
            at = self.field(node, "Enc Alg", at, 2, end)
            at = self.field(node, "Remaining Lifetime", at, 4, end)
            self.attributes(node, at, end, IEC_ATTRIBUTES)
        elif proto == DENY:
            at = self.field(node, "Protocol", at, 1, end)
            at = self.endpoint(node, "Source", at, end)
            at = self.endpoint(node, "Destination", at, end)
            if at != end:
                raise Malformed("octets behind a deny entry", at)
        else:
            self.field(node, "Data", at, end - at, end, raw=True)

    def kd(self, node, at, end):
        at = self.field(node, "Key Packets", at, 2, end)
        at = self.zero(node, at, 2, end, "RESERVED2 of the KD")
        while at < end:
            self.need(at, 5, end, "key packet")
            kind, _, length, size = struct.unpack_from(">BBHB", self.data, at)
            packet = Node("Key Packet " + KD_TYPES.get(kind, str(kind)), "packet", kind, at, length)
            node.kids.append(packet)
            if length < 5 or at + length > end:
                packet.fits = False
                raise Malformed("key packet length %d" % length, at)
            self.zero(packet, at + 1, 1, end, "reserved octet of a key packet")
            stop = at + length
            spot = at + 5
            if size:
                spot = self.field(packet, "SPI", spot, size, stop, raw=True)
            self.attributes(packet, spot, stop, KD_ATTRIBUTES.get(kind, {}))
            if kind == 3:
                for attr in packet.kids:
                    if attr.kind == "attribute" and attr.number in (1, 2) and isinstance(attr.value, bytes):
                        self.lkh(attr)
            at = stop
        if len(node.kids) - 1 - (node.find("RESERVED") is not None) != node.get("Key Packets"):
            self.remarks.append("number of key packets is not what the KD says at octet %d" % (node.offset + 4))

    def lkh(self, attr):
        """Reads an LKH array. All its keys have one length, so the length of an array tells that of a key."""
        at, end = attr.offset + 4, attr.offset + attr.length
        at = self.field(attr, "LKH Version", at, 1, end)
        at = self.field(attr, "Keys", at, 2, end)
        at = self.zero(attr, at, 1, end, "reserved octet of an LKH array")
        if attr.number == 2:
            at = self.field(attr, "LKH ID", at, 2, end)
            at = self.zero(attr, at, 2, end, "RESERVED2 of an LKH array")
            at = self.field(attr, "Key Handle", at, 4, end)
        count = attr.get("Keys")
        if count == 0 and at == end:
            return
        if count == 0 or (end - at) % count or (end - at) // count < 16:
            raise Malformed("LKH array of %d keys in %d octets" % (count, end - at), at)
        size = (end - at) // count
        for _ in range(count):
            key = Node("LKH Key", "lkhkey", 0, at, size)
            attr.kids.append(key)
            self.field(key, "LKH ID", at, 2, end)
            self.field(key, "Key Type", at + 2, 1, end)
            self.zero(key, at + 3, 1, end, "reserved octet of an LKH key")
            self.field(key, "Creation Date", at + 4, 4, end)
            self.field(key, "Expiration Date", at + 8, 4, end)
            self.field(key, "Key Handle", at + 12, 4, end)
            self.field(key, "Key Data", at + 16, size - 16, end, raw=True)
            at += size

    def seq(self, node, at, end):
        if node.length != 8:
            raise Malformed("SEQ of %d octets" % node.length, node.offset)
        self.field(node, "Number", at, 4, end)
        node.value = node.kids.pop().value


def parse_header(data):
    """The header as a dict, or None if there are not 28 octets."""
    if len(data) < HEADER:
        return None
    ci, cr, nxt, version, exchange, flags, mid, length = struct.unpack(">8s8sBBBBII", data[:HEADER])
    return {"initiator_cookie": ci.hex(), "responder_cookie": cr.hex(), "next_payload": nxt, "version": version,
            "exchange": exchange, "flags": flags, "message_id": mid, "length": length}


def parse_payloads(data, block):
    """Reads the payloads of a message in clear or after decryption: nodes, end of the last one, error or None, remarks.

    block is the cipher's block size, or 0 if the message was never encrypted.
    """
    nodes, error, end = [], None, HEADER
    parser = Parser(data, data[18])
    try:
        end = parser.chain(nodes, data[16], HEADER, len(data))
        left = len(data) - end
        if left and not block:
            parser.remarks.append("%d octets after the last payload" % left)
        elif left and left >= block:
            parser.remarks.append("%d octets of padding" % left)
        elif any(data[end:]):
            parser.remarks.append("padding is not 0")
    except Malformed as err:
        error, end = str(err), getattr(err, "offset", end)
    return nodes, end, error, parser.remarks


def ip_nodes(data, at):
    """The IP packet as a node, at this offset; nothing if it is none."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        return ipv4_nodes(data, at)
    if len(data) >= 40 and data[0] >> 4 == 6:
        return ipv6_nodes(data[:40 + struct.unpack_from(">H", data, 4)[0]], at)
    return []


def ipv4_nodes(data, at):
    head = (data[0] & 15) * 4
    size = struct.unpack_from(">H", data, 2)[0]
    data = data[:size] if head <= size else data
    node = Node("IPv4", "ip", 4, at, len(data))
    node.kids = [Node("TOS", "field", 0, at + 1, 1, data[1]),
                 Node("Identification", "field", 0, at + 4, 2, struct.unpack_from(">H", data, 4)[0]),
                 Node("TTL", "field", 0, at + 8, 1, data[8]),
                 Node("Data", "field", 0, at + head, len(data) - head, data[head:])]
    return [node]


EXTENSION_NAMES = {0: "Hop-by-Hop Options", 43: "Routing", 44: "Fragment", 60: "Destination Options"}


def ipv6_nodes(data, at):
    node, end = Node("IPv6", "ip", 6, at, len(data)), 40
    word = struct.unpack_from(">I", data)[0]
    # neither of the two fills its octets
    node.kids = [Node("Traffic Class", "field", 0, at, 1, word >> 20 & 0xff),
                 Node("Flow Label", "field", 0, at + 1, 3, word & 0xfffff),
                 Node("Hop Limit", "field", 0, at + 7, 1, data[7])]
    for kind, spot, size in capfile.extension_headers(data):
        if spot + size > len(data):
            break
        text = "%d octets" % size
        if kind == capfile.FRAGMENT:
            offset, number = struct.unpack_from(">HI", data, spot + 2)
            text = "offset %d, %sidentification 0x%08x" % (offset & 0xfff8, "MF, " if offset & 1 else "", number)
        node.kids.append(Node(EXTENSION_NAMES[kind], "words", 0, at + spot, size, text))
        end = spot + size
    node.kids.append(Node("Data", "field", 0, at + end, len(data) - end, data[end:]))
    return [node]
