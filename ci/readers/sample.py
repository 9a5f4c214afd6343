"""Makes GDOI conversations of its own: an encoder that goes with the second decoder.

The decoder's tests read what it makes, and mutants.py alters it and lets both decoders read the result.
"""

import ipaddress
import random
import struct

import capfile
import espkeys
import isakmp
import keymath
import suite


def tv(number, value):
    return struct.pack(">HH", 0x8000 | number, value)


def tlv(number, data):
    return struct.pack(">HH", number, len(data)) + data


def generic(following, body):
    return struct.pack(">BBH", following, 0, len(body) + 4) + body


def chain(payloads):
    """Octets of a list of (type, body)."""
    out = b""
    for index, (_, body) in enumerate(payloads):
        out += generic(payloads[index + 1][0] if index + 1 < len(payloads) else 0, body)
    return out


def ident(kind, data, proto=0, port=0):
    return struct.pack(">BBH", kind, proto, port) + data


def endpoint(kind, port, data):
    return struct.pack(">BHB", kind, port, len(data)) + data


def phase1_sa(transforms):
    parts = [struct.pack(">BBH", number, 1, 0) + attrs for number, attrs in enumerate(transforms, 1)]
    proposal = struct.pack(">BBBB", 1, 1, 0, len(parts)) + chain([(isakmp.T, part) for part in parts])
    return struct.pack(">II", 2, 0) + chain([(isakmp.P, proposal)])


def transform(suite_):
    """The attributes of a transform of Phase 1."""
    length = tv(14, suite_.bits) if suite_.cipher in (7, 8) else b""
    return tv(1, suite_.cipher) + length + tv(2, suite_.hash) + tv(3, suite_.method) + tv(4, suite_.group) + tv(11, 1) + \
        tlv(12, struct.pack(">I", 86400))


def group_sa(payloads):
    return struct.pack(">IIHH", 2, 0, payloads[0][0] if payloads else 0, 0) + chain(payloads)


def sak(spi, source, destination, attributes):
    return b"\x11" + source + destination + spi + bytes(4) + attributes


def sat(source, destination, transform_id, spi, attributes, protocol=1, selector=0):
    return bytes([protocol, selector]) + source + destination + bytes([transform_id]) + spi + attributes


def sat_61850(oid, payload, spi, auth, cipher, lifetime, attributes):
    return bytes([3, len(oid)]) + oid + struct.pack(">H", len(payload)) + payload + spi + \
        struct.pack(">HHI", auth, cipher, lifetime) + attributes


def packet(kind, spi, attributes):
    return struct.pack(">BBHB", kind, 0, 5 + len(spi) + len(attributes), len(spi)) + spi + attributes


def key_download(packets):
    return struct.pack(">HH", len(packets), 0) + b"".join(packets)


def lkh_key(number, handle, data, kind=3):
    return struct.pack(">HBBIII", number, kind, 0, 0, 0, handle) + data


def download_array(keys):
    return struct.pack(">BHB", 1, len(keys), 0) + b"".join(keys)


def update_array(number, handle, keys):
    return struct.pack(">BHBHHI", 1, len(keys), 0, number, 0, handle) + b"".join(keys)


def notification(doi, protocol, spi, kind, data=b""):
    return struct.pack(">IBBH", doi, protocol, len(spi), kind) + spi + data


def delete(doi, protocol, spis):
    return struct.pack(">IBBH", doi, protocol, len(spis[0]), len(spis)) + b"".join(spis)


def header(ci, cr, first, exchange, flags, mid, length, version=0x10):
    return ci + cr + struct.pack(">BBBBII", first, version, exchange, flags, mid, length)


def ipv4(src, dst, proto, payload, ttl=64, tos=0):
    head = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(payload), 0, 0, ttl, proto, 0) + \
        ipaddress.IPv4Address(src).packed + ipaddress.IPv4Address(dst).packed
    return head[:10] + struct.pack(">H", capfile.sum16(head)) + head[12:] + payload


def ipv6(src, dst, proto, payload, hops=64, traffic_class=0):
    return struct.pack(">IHBB", 6 << 28 | traffic_class << 20, len(payload), proto, hops) + \
        ipaddress.IPv6Address(src).packed + ipaddress.IPv6Address(dst).packed + payload


def ip(src, dst, proto, payload):
    return (ipv6 if ":" in src else ipv4)(src, dst, proto, payload)


def udp(src, dst, payload, sport=848, dport=848):
    size = 8 + len(payload)
    head = struct.pack(">HHH", sport, dport, size)
    total = 0
    if ":" in src:
        ends = ipaddress.IPv6Address(src).packed + ipaddress.IPv6Address(dst).packed
        total = capfile.sum16(ends + struct.pack(">II", size, 17) + head + bytes(2) + payload) or 0xffff
    return ip(src, dst, 17, head + struct.pack(">H", total) + payload)


def fragments(packet_, size):
    """The packet in fragments with that many octets each, a multiple of 8."""
    out, version = [], packet_[0] >> 4
    head, data = (packet_[:20], packet_[20:]) if version == 4 else (packet_[:40], packet_[40:])
    for at in range(0, len(data), size):
        part, more = data[at:at + size], at + size < len(data)
        if version == 4:
            fixed = head[:2] + struct.pack(">HHH", 20 + len(part), 77, at // 8 | more << 13) + head[8:10] + bytes(2) + head[12:]
            out.append(fixed[:10] + struct.pack(">H", capfile.sum16(fixed)) + fixed[12:] + part)
        else:
            extra = struct.pack(">BBHI", head[6], 0, at | more, 77)
            out.append(head[:4] + struct.pack(">HB", 8 + len(part), 44) + head[7:] + extra + part)
    return out


def ethernet(packet_):
    kind = 0x86dd if packet_[0] >> 4 == 6 else 0x0800
    return bytes.fromhex("020000000001020000000002") + struct.pack(">H", kind) + packet_


def pcapng(packets, names=("wan",), linktype=101):
    """A pcapng file of (interface, octets), as packets of IP or as frames of Ethernet."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    for name in names:
        text = name.encode()
        out += block(1, struct.pack("<HHI", linktype, 0, 0) + struct.pack("<HH", 2, len(text)) + text +
                     bytes(-len(text) % 4) + struct.pack("<HH", 0, 0))
    for index, (link, data) in enumerate(packets):
        time = 1_700_000_000_000_000 + index * 1000
        out += block(6, struct.pack("<IIIII", link, time >> 32, time & 0xffffffff, len(data), len(data)) + data)
    return out


class Sealed:
    """A message before it is sent: everything that an alteration may want to change."""

    def __init__(self, kind, side, exchange, mid, payloads, flags=0):
        self.kind, self.side, self.exchange, self.mid, self.flags = kind, side, exchange, mid, flags
        self.first = payloads[0][0] if payloads else 0
        self.octets = chain(payloads)
        self.version = 0x10
        self.least = 0          # octets that resealed needs
        self.resealed = None    # called with the altered octets, to make a HASH or SIG that fits them


class Conversation:  # pylint: disable=too-many-instance-attributes
    """Registration, rekey and acknowledgement of one member under keys of its own."""

    def __init__(self, seed, member="192.0.2.21", server="192.0.2.10", chosen=None):
        self.rng = random.Random(seed)
        octets = self.rng.randbytes
        self.member, self.server = member, server
        self.suite = one = chosen or suite.any_suite(self.rng)
        self.ci, self.cr = octets(8), octets(8)
        self.gxi, self.gxr, self.shared = one.exchange(self.rng)
        name = one.phase1_hash
        self.n_i, self.n_r = octets(32), octets(32)
        self.skeyid = keymath.skeyid_psk(name, b"gdoi-psk", self.n_i, self.n_r) if one.method == 1 else \
            keymath.skeyid_signature(name, self.n_i, self.n_r, self.shared)
        self.skeyid_d, self.skeyid_a, self.skeyid_e = keymath.skeyid_dae(name, self.skeyid, self.shared, self.ci, self.cr)
        self.key = keymath.expand(name, self.skeyid_e, one.phase1_key_size)
        self.block = keymath.block_size(one.phase1_cipher)
        self.first_iv = keymath.digest(name, self.gxi, self.gxr)[:self.block]
        self.rekey = octets(16), *(octets(n) for n in one.kek_sizes())          # SPI, IV, key
        self.next_rekey = octets(16), *(octets(n) for n in one.kek_sizes())
        self.leaf, self.inner = (octets(sum(one.kek_sizes())) for _ in range(2))
        self.tek, self.tek_auth = (octets(n) for n in one.tek_sizes())
        self.tek_spi = b"\x10" + octets(3)
        self.sid = self.rng.randrange(1 << one.sid_bits)
        self.mid = self.rng.getrandbits(32) or 1
        self.pull_n = octets(16), octets(24)
        self.more = [kind for kind, chance in ((self.sat_ipv6, 0.3), (self.sat_ah, 0.2), (self.sat_iec, 0.2))
                     if self.rng.random() < chance]
        self.sats = [self.sat_tek()] + [make() for make in self.more]

    # -- keys.json

    def entries(self):
        """The entries of a keys.json."""
        one = self.suite
        out = [{"kind": "phase1", "cookie_i": self.ci.hex(), "cookie_r": self.cr.hex(), "skeyid": self.skeyid.hex(),
                "skeyid_d": self.skeyid_d.hex(), "skeyid_a": self.skeyid_a.hex(), "skeyid_e": self.skeyid_e.hex(),
                "cipher_key": self.key.hex(), "first_iv": self.first_iv.hex(), "g_xy": self.shared.hex()}]
        for spi, iv, key in (self.rekey, self.next_rekey):
            out.append({"kind": "rekey", "group": 1234, "spi": spi.hex(), "cipher": one.kek,
                        "key_bits": len(key) * 8, "source": self.server, "destination": "0.0.0.0:0", "iv": iv.hex(),
                        "key": key.hex(), "public_key": one.public.hex(), "sig_hash": one.sign_hash,
                        "sig_algorithm": one.sign, "ack": one.ack})
            if one.bare:
                out[-1]["sig_form"] = "bare-hash"
        row = espkeys.TRANSFORMS[one.transform]
        out.append({"kind": "traffic", "group": 1234, "spi": self.tek_spi.hex(), "cipher": one.transform,
                    "key_bits": one.tek_bits if row.needs_key_length else 0, "cipher_key": self.tek.hex(),
                    "integrity": one.integrity, "integrity_key": self.tek_auth.hex(), "source": "10.0.0.0/8",
                    "destination": "10.0.0.0/8", "mode": one.mode, "preservation": 4, "direction": 3, "esn": one.esn})
        out.append({"kind": "sids", "group": 1234, "bits": one.sid_bits, "values": [self.sid]})
        return [{name: value for name, value in entry.items() if value} for entry in out]

    # -- policy: SATs with the attributes of their key packets

    def sat_tek(self):
        one, row = self.suite, espkeys.TRANSFORMS[self.suite.transform]
        net = endpoint(4, 0, bytes([10, 0, 0, 0, 255, 0, 0, 0]))
        attrs = tv(1, 1) + tlv(2, struct.pack(">I", 3600)) + tv(4, one.mode)
        attrs += b"" if row.combined else tv(5, one.integrity)
        attrs += tv(6, one.tek_bits) if row.needs_key_length else b""
        attrs += (tv(11, 1) if one.esn else b"") + tv(14, 4) + tv(15, 3)
        keys = (tlv(1, self.tek) if self.tek else b"") + (tlv(2, self.tek_auth) if self.tek_auth else b"")
        return sat(net, net, one.transform, self.tek_spi, attrs), packet(1, self.tek_spi, keys)

    def sat_ipv6(self):
        net = endpoint(6, 0, bytes.fromhex("20010db8" + "00" * 12 + "ffffffff" + "00" * 12))
        spi = b"\x20" + self.rng.randbytes(3)
        attrs = tv(1, 2) + tlv(2, struct.pack(">I", 100000)) + tv(4, 2) + tv(5, 5) + tv(6, 256) + tv(11, 1)
        keys = tlv(1, self.rng.randbytes(32)) + tlv(2, self.rng.randbytes(32))
        return sat(net, endpoint(5, 500, bytes(15) + b"\1"), 12, spi, attrs, selector=17), packet(1, spi, keys)

    def sat_ah(self):
        net, spi = endpoint(4, 0, bytes(8)), b"\x40" + self.rng.randbytes(3)
        number, auth, size = self.rng.choice((
            (2, 1, 16), (3, 2, 20), (5, 5, 32), (7, 7, 64), (9, 9, 16), (11, 11, 20), (13, 13, 36)))
        attrs = tv(1, 1) + tlv(2, struct.pack(">I", 3600)) + tv(4, 1) + tv(5, auth)
        return sat(net, net, number, spi, attrs, protocol=2), packet(1, spi, tlv(2, self.rng.randbytes(size)))

    def sat_iec(self):
        spi = b"\x30" + self.rng.randbytes(3)
        node = sat_61850(bytes.fromhex("06052a03040506"), b"xyz", spi, 2, 4, 600, tv(2, 50) + tlv(1, b"\0\1\2\3"))
        return node, packet(1, spi, tlv(1, self.rng.randbytes(20)) + tlv(2, self.rng.randbytes(32)))

    def sak(self, spi):
        one = self.suite
        kind, source, destination = (1, self.server, "239.1.1.1") if ":" not in self.server else (5, self.server, "ff05::1234")
        ends = [endpoint(kind, 848, ipaddress.ip_address(a).packed) for a in (source, destination)]
        attrs = tv(2, one.kek) + (tv(3, one.kek_bits) if one.kek_bits else b"") + tlv(4, struct.pack(">I", 86400))
        attrs += (tv(5, one.sign_hash) if one.sign_hash else b"") + tv(6, one.sign) + \
            (tv(7, 2048) if one.sign == 1 else b"") + tv(9, one.ack)
        return isakmp.SAK, sak(spi, *ends, attrs)

    def group_policy(self, spi=None):
        """An SA with a SAK of this SPI, or without one."""
        parts = [self.sak(spi)] if spi else []
        if self.rng.random() < 0.6:
            parts.append((isakmp.GAP, tv(1, 5) + tv(2, 10)))
        return group_sa(parts + [(isakmp.SAT, node) for node, _ in self.sats])

    def keys_payload(self):
        """The KD of message 4."""
        spi, iv, key = self.rekey
        if self.suite.lkh:
            keys = [lkh_key(number, number + 100, data, self.suite.kek) for number, data in
                    ((7, self.leaf), (3, self.inner), (1, iv + key))]
            packets = [packet(3, spi, tlv(1, download_array(keys)) + tlv(3, self.suite.public))]
        else:
            packets = [packet(2, spi, tlv(1, iv + key) + tlv(2, self.suite.public))]
        packets += [keys for _, keys in self.sats]
        packets.append(packet(4, b"", tv(1, self.suite.sid_bits) + tlv(2, struct.pack(">I", self.sid))))
        return key_download(packets)

    def update(self):
        """The key packet that brings the next KEK to those who have the inner key."""
        spi, iv, key = self.next_rekey
        size = len(iv)
        data = keymath.cbc(self.suite.kek_cipher, self.inner[size:], self.inner[:size], iv + key, True)
        return packet(3, spi, tlv(2, update_array(3, 103, [lkh_key(1, 201, data, self.suite.kek)])))

    # -- messages

    def hashed(self, kind, side, mid, middle, payloads, exchange=isakmp.PULL):
        """A message whose first payload is HASH over the rest."""
        name = self.suite.phase1_hash
        size = len(self.skeyid)
        made = Sealed(kind, side, exchange, mid, [(isakmp.HASH, bytes(size))] + payloads, 1)

        def reseal(octets):
            value = keymath.prf(name, self.skeyid_a, struct.pack(">I", mid), middle, octets[4 + size:])
            return octets[:4] + value + octets[4 + size:]
        made.resealed, made.least = reseal, 4 + size
        made.octets = reseal(made.octets)
        return made

    def nat(self, src, dst):
        """The NAT-D payloads of a message between two addresses with no NAT between them."""
        return [(20, keymath.nat_d(self.suite.phase1_hash, self.ci, self.cr, ipaddress.ip_address(a).packed, 848))
                for a in (dst, src)]

    def identity(self, address, port=0):
        kind = 5 if ":" in address else 1
        return ident(kind, ipaddress.ip_address(address).packed, 17 if port else 0, port)

    def main_mode(self):
        one = self.suite
        many = [transform(one)] + [transform(suite.Suite())] * self.rng.randrange(0, 2)
        sa_i = phase1_sa(many)
        vid = [(isakmp.VID, bytes.fromhex("4a131c81070358455c5728f20e95452f"))] if self.rng.random() < 0.5 else []
        natd = [self.nat(self.member, self.server), self.nat(self.server, self.member)] if vid else [[], []]
        asks = [(isakmp.CR, b"\4")] if self.rng.random() < 0.3 else []
        first = [(isakmp.N, notification(2, 1, self.ci + self.cr, 24578))] if self.rng.random() < 0.4 else []
        main = isakmp.IDENTITY_PROTECTION
        return [
            Sealed("MM1", "i", main, 0, [(isakmp.SA, sa_i)] + vid),
            Sealed("MM2", "r", main, 0, [(isakmp.SA, phase1_sa(many[:1]))] + vid),
            Sealed("MM3", "i", main, 0, [(isakmp.KE, self.gxi), (isakmp.NONCE, self.n_i)] + natd[0] + asks),
            Sealed("MM4", "r", main, 0, [(isakmp.KE, self.gxr), (isakmp.NONCE, self.n_r)] + natd[1]),
            Sealed("MM5", "i", main, 0, self.proof("i", sa_i) + first, 1),
            Sealed("MM6", "r", main, 0, self.proof("r", sa_i), 1),
        ]

    def proof(self, side, sa_i):
        """ID and HASH of one side; with signatures ID, CERT and SIG."""
        one, make = self.suite, keymath.hash_i if side == "i" else keymath.hash_r
        body = self.identity(self.member) if side == "i" else self.identity(self.server, 848)
        name = one.phase1_hash if one.method == 1 else one.method_hash
        value = make(name, self.skeyid, self.gxi, self.gxr, self.ci, self.cr, sa_i, body)
        if one.method == 1:
            return [(isakmp.ID, body), (isakmp.HASH, value)]
        return [(isakmp.ID, body), (isakmp.CERT, one.certificate()), (isakmp.SIG, one.phase1_signature(value))]

    def registration(self):
        n_i, n_r = self.pull_n
        group = ident(11, struct.pack(">I", 1234))
        request = [(isakmp.GAP, tv(3, 2))] if self.rng.random() < 0.5 else []
        return [
            self.hashed("PULL1", "i", self.mid, b"", [(isakmp.NONCE, n_i), (isakmp.ID, group)]),
            self.hashed("PULL2", "r", self.mid, n_i, [(isakmp.NONCE, n_r), (isakmp.SA, self.group_policy(self.rekey[0]))]),
            self.hashed("PULL3", "i", self.mid, n_i + n_r, request),
            self.hashed("PULL4", "r", self.mid, n_i + n_r, [
                (isakmp.SEQ, struct.pack(">I", 0)), (isakmp.KD, self.keys_payload())]),
        ]

    def messages(self):
        """All messages in order."""
        cookies = self.ci + self.cr
        info = self.rng.choice((
            (isakmp.N, notification(2, 1, cookies, 18, b"no such group")), (isakmp.D, delete(0, 1, [cookies])),
            (isakmp.N, notification(0, 1, b"", 16))))
        return self.main_mode() + self.registration() + [
            self.push(1), self.acknowledgement(1),
            self.hashed("INFO", self.rng.choice("ir"), self.rng.getrandbits(32) or 1, b"", [info], isakmp.INFORMATIONAL)]

    def deletions(self):
        """Delete payloads of every kind that a PUSH may have."""
        return [(isakmp.D, delete(2, proto, spis)) for proto, spis in (
            (1, [self.rng.randbytes(4) for _ in range(self.rng.randrange(1, 4))]), (2, [self.rng.randbytes(4)]),
            (1, [bytes(4)]), (0, [self.rekey[0]]), (0, [bytes(16)])) if self.rng.random() < 0.3]

    def push(self, number):
        parts = [(isakmp.SEQ, struct.pack(">I", number))] + self.deletions()
        keys = [packets for _, packets in self.sats]
        if self.suite.lkh and self.rng.random() < 0.8 and sum(self.suite.kek_sizes()) % len(self.rekey[1]) == 0:
            parts += [(isakmp.SA, self.group_policy(self.next_rekey[0])), (isakmp.KD, key_download([self.update()] + keys))]
        elif self.rng.random() < 0.4:
            spi, iv, key = self.next_rekey
            kek = packet(2, spi, tlv(1, iv + key) + tlv(2, self.suite.public))
            parts += [(isakmp.SA, self.group_policy(spi)), (isakmp.KD, key_download([kek] + keys))]
        elif self.rng.random() < 0.8:
            parts += [(isakmp.SA, self.group_policy()), (isakmp.KD, key_download(keys))]
        size = self.suite.signature_size
        made = Sealed("PUSH", "r", isakmp.PUSH, 0, parts + [(isakmp.SIG, bytes(size))], 1)

        def reseal(octets):
            length = 28 + len(octets) + (-len(octets) % self.suite.kek_sizes()[0] if self.suite.padded else 0)
            head = header(self.rekey[0][:8], self.rekey[0][8:], made.first, isakmp.PUSH, 1, 0, length)
            value = keymath.rekey_digest(self.suite.signature_hash, head, octets[:-size - 4])
            return octets[:-size] + self.suite.signature(value)
        made.resealed, made.least = reseal, size + 4
        made.octets = reseal(made.octets)
        return made

    def acknowledgement(self, number):
        name, bits = keymath.ACK_HASHES[self.suite.ack]
        spi, iv, key = self.rekey
        base = self.leaf[len(iv):] if self.suite.ack in (2, 4) else key
        key = keymath.ack_key(name, base, spi, bits)
        size = 32 if name == "sha256" else 64
        made = Sealed("PUSH-ACK", "i", isakmp.PUSH_ACK, 0, [
            (isakmp.HASH, bytes(size)), (isakmp.SEQ, struct.pack(">I", number)), (isakmp.ID, self.identity(self.member))])

        def reseal(octets):
            return octets[:4] + keymath.prf(name, key, octets[4 + size:]) + octets[4 + size:]
        made.resealed, made.least = reseal, 4 + size
        made.octets = reseal(made.octets)
        return made

    # -- the wire

    def datagrams(self, messages):
        """Encrypts and frames messages: list of (message, IP packet)."""
        out, blocks, phase1 = [], {}, None
        name, cipher = self.suite.phase1_hash, self.suite.phase1_cipher
        for one in messages:
            ci, cr, size = self.ci, self.cr, self.block
            if one.exchange in (isakmp.PUSH, isakmp.PUSH_ACK):
                (ci, cr), size = (self.rekey[0][:8], self.rekey[0][8:]), self.suite.kek_sizes()[0]
            elif one.kind == "MM1":
                cr = bytes(8)
            octets = one.octets
            if one.flags & 1:
                octets += bytes(-len(octets) % size)
            head = header(ci, cr, one.first, one.exchange, one.flags, one.mid, 28 + len(octets), one.version)
            if one.flags & 1:
                if one.exchange == isakmp.PUSH:
                    octets = keymath.cbc(self.suite.kek_cipher, self.rekey[2], self.rekey[1], octets, True)
                elif one.exchange == isakmp.IDENTITY_PROTECTION:
                    octets = keymath.cbc(cipher, self.key, phase1 or self.first_iv, octets, True)
                    phase1 = octets[-size:]
                else:
                    iv = blocks.get(one.mid) or keymath.phase2_iv(name, phase1, one.mid, size)
                    octets = keymath.cbc(cipher, self.key, iv, octets, True)
                    blocks[one.mid] = octets[-size:]
            ends = (self.member, self.server) if one.side == "i" else (self.server, self.member)
            out.append((one, udp(*ends, head + octets)))
        return out

    def iv(self, number):
        """The IV of a packet: Sender-ID and counter, or octets that nobody can guess."""
        row = espkeys.TRANSFORMS[self.suite.transform]
        if row.counter:
            return (self.sid << 64 - self.suite.sid_bits | number).to_bytes(8, "big")
        return random.Random("%s %s" % (self.tek_spi, number)).randbytes(row.iv)

    def esp(self, number, inner, iv=None):
        """An ESP packet of this conversation's group around an IP packet, or around data that is none."""
        following = {4: 4, 6: 41}.get(inner[0] >> 4, 17)
        iv = self.iv(number) if iv is None else iv
        return self.suite.seal(self.tek_spi, number, iv, self.tek, self.tek_auth, inner, following)
