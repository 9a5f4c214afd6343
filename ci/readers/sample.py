"""Makes GDOI conversations of its own: an encoder that goes with the second decoder.

The decoder's tests read what it makes, and mutants.py alters it and lets both decoders read the result.
"""

import ipaddress
import random
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import capfile
import gdoi


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
    proposal = struct.pack(">BBBB", 1, 1, 0, len(parts)) + chain([(gdoi.T, part) for part in parts])
    return struct.pack(">II", 2, 0) + chain([(gdoi.P, proposal)])


def transform(bits=128):
    return tv(1, 7) + tv(14, bits) + tv(2, 4) + tv(3, 1) + tv(4, 14) + tv(11, 1) + tlv(12, struct.pack(">I", 86400))


def group_sa(payloads):
    return struct.pack(">IIHH", 2, 0, payloads[0][0], 0) + chain(payloads)


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


def udp(src, dst, payload, sport=848, dport=848):
    return ipv4(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload)


def pcapng(packets, names=("wan",)):
    """A pcapng file of (interface, octets) with LINKTYPE_RAW."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    for name in names:
        text = name.encode()
        out += block(1, struct.pack("<HHI", 101, 0, 0) + struct.pack("<HH", 2, len(text)) + text +
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
        self.resealed = None    # called with the altered octets, to make a HASH or SIG that fits them


class Conversation:
    """Registration, rekey and acknowledgement of one member under keys of its own."""

    signer = None

    def __init__(self, seed, member="192.0.2.21", server="192.0.2.10"):
        self.rng = random.Random(seed)
        octets = self.rng.randbytes
        self.member, self.server = member, server
        self.ci, self.cr = octets(8), octets(8)
        self.skeyid, self.skeyid_d, self.skeyid_a, self.skeyid_e = (octets(32) for _ in range(4))
        self.bits = self.rng.choice((128, 192, 256))
        self.key = gdoi.expand("sha256", self.skeyid_e, self.bits // 8)
        self.gxi, self.gxr, self.n_i, self.n_r = octets(256), octets(256), octets(32), octets(32)
        self.first_iv = gdoi.digest("sha256", self.gxi, self.gxr)[:16]
        self.kek_spi, self.kek_iv, self.kek, self.tek, self.tek_spi = \
            octets(16), octets(16), octets(16), octets(20), b"\x10" + octets(3)
        self.lkh = self.rng.random() < 0.4
        self.leaf = octets(32)
        self.ack = self.rng.choice((2, 4)) if self.lkh else self.rng.choice((1, 3))
        if Conversation.signer is None:
            Conversation.signer = rsa.generate_private_key(65537, 2048)
        self.mid = self.rng.getrandbits(32) or 1
        self.pull_n = octets(16), octets(24)

    @property
    def public(self):
        return self.signer.public_key().public_bytes(serialization.Encoding.DER,
                                                     serialization.PublicFormat.SubjectPublicKeyInfo)

    def entries(self):
        """The entries of a keys.json."""
        return [
            {"kind": "phase1", "cookie_i": self.ci.hex(), "cookie_r": self.cr.hex(), "skeyid": self.skeyid.hex(),
             "skeyid_d": self.skeyid_d.hex(), "skeyid_a": self.skeyid_a.hex(), "skeyid_e": self.skeyid_e.hex(),
             "cipher_key": self.key.hex(), "first_iv": self.first_iv.hex()},
            {"kind": "rekey", "group": 1234, "spi": self.kek_spi.hex(), "cipher": 3, "key_bits": 128,
             "source": "192.0.2.10:848", "destination": "0.0.0.0:0", "iv": self.kek_iv.hex(), "key": self.kek.hex(),
             "public_key": self.public.hex(), "sig_hash": 3, "sig_algorithm": 1, "ack": self.ack},
            {"kind": "traffic", "group": 1234, "spi": self.tek_spi.hex(), "cipher": 20, "key_bits": 128,
             "cipher_key": self.tek.hex(), "source": "10.0.0.0/8", "destination": "10.0.0.0/8", "mode": 1,
             "preservation": 4},
        ]

    def group_policy(self):
        net = endpoint(4, 0, bytes([10, 0, 0, 0, 255, 0, 0, 0]))
        net6 = endpoint(6, 0, bytes.fromhex("20010db8" + "00" * 12 + "ffffffff" + "00" * 12))
        attrs = tv(1, 1) + tlv(2, struct.pack(">I", 3600)) + tv(4, 1) + tv(6, 128) + tv(14, 4) + tv(15, 3)
        kek = tv(2, 3) + tv(3, 128) + tlv(4, struct.pack(">I", 86400)) + tv(5, 3) + tv(6, 1) + tv(7, 2048) + \
            tv(9, self.ack)
        parts = [(gdoi.SAK, sak(self.kek_spi, endpoint(1, 848, bytes([192, 0, 2, 10])),
                                endpoint(1, 848, bytes([239, 1, 1, 1])), kek))]
        if self.rng.random() < 0.6:
            parts.append((gdoi.GAP, tv(1, 5) + tv(2, 10)))
        parts.append((gdoi.SAT, sat(net, net, 20, self.tek_spi, attrs)))
        if self.rng.random() < 0.3:
            cbc = tv(1, 2) + tlv(2, struct.pack(">I", 100000)) + tv(4, 2) + tv(5, 5) + tv(6, 256) + tv(11, 1)
            parts.append((gdoi.SAT, sat(net6, net6, 12, b"\x20" + self.rng.randbytes(3), cbc, selector=17)))
        if self.rng.random() < 0.2:
            parts.append((gdoi.SAT, sat_61850(bytes.fromhex("06052a03040506"), b"xyz", b"\x30" + self.rng.randbytes(3),
                                              2, 4, 600, tv(2, 50) + tlv(1, b"\0\1\2\3"))))
        return group_sa(parts)

    def keys_payload(self):
        packets = [packet(1, self.tek_spi, tlv(1, self.tek))]
        if self.lkh:
            keys = [lkh_key(number, number + 100, data) for number, data in
                    ((7, self.leaf), (3, self.rng.randbytes(32)), (1, self.kek_iv + self.kek))]
            packets.insert(0, packet(3, self.kek_spi, tlv(1, download_array(keys)) + tlv(3, self.public)))
        else:
            packets.insert(0, packet(2, self.kek_spi, tlv(1, self.kek_iv + self.kek) + tlv(2, self.public)))
        if self.rng.random() < 0.7:
            packets.append(packet(4, b"", tv(1, 12) + tlv(2, struct.pack(">I", 5)) + tlv(2, struct.pack(">I", 6))))
        return key_download(packets)

    def hashed(self, kind, side, mid, middle, payloads, exchange=gdoi.PULL):
        """A message whose first payload is HASH over the rest."""
        made = Sealed(kind, side, exchange, mid, [(gdoi.HASH, bytes(32))] + payloads, 1)

        def reseal(octets):
            value = gdoi.prf("sha256", self.skeyid_a, struct.pack(">I", mid), middle, octets[36:])
            return octets[:4] + value + octets[36:]
        made.resealed = reseal
        made.octets = reseal(made.octets)
        return made

    def messages(self):
        """All messages in order."""
        many = [transform(self.bits)] + [transform(256)] * self.rng.randrange(0, 2)
        sa_i = phase1_sa(many)
        ids = ident(1, ipaddress.ip_address(self.member).packed), ident(1, bytes([192, 0, 2, 10]), 17, 848)
        hash_i = gdoi.hash_i("sha256", self.skeyid, self.gxi, self.gxr, self.ci, self.cr, sa_i, ids[0])
        hash_r = gdoi.hash_r("sha256", self.skeyid, self.gxi, self.gxr, self.ci, self.cr, sa_i, ids[1])
        vid = [(gdoi.VID, bytes.fromhex("4a131c81070358455c5728f20e95452f"))] if self.rng.random() < 0.5 else []
        natd = [(20, self.rng.randbytes(32)), (20, self.rng.randbytes(32))] if vid else []
        first = [(gdoi.N, notification(2, 1, self.ci + self.cr, 24578))] if self.rng.random() < 0.4 else []
        main = gdoi.IDENTITY_PROTECTION
        out = [
            Sealed("MM1", "i", main, 0, [(gdoi.SA, sa_i)] + vid),
            Sealed("MM2", "r", main, 0, [(gdoi.SA, phase1_sa(many[:1]))] + vid),
            Sealed("MM3", "i", main, 0, [(gdoi.KE, self.gxi), (gdoi.NONCE, self.n_i)] + natd),
            Sealed("MM4", "r", main, 0, [(gdoi.KE, self.gxr), (gdoi.NONCE, self.n_r)] + natd),
            Sealed("MM5", "i", main, 0, [(gdoi.ID, ids[0]), (gdoi.HASH, hash_i)] + first, 1),
            Sealed("MM6", "r", main, 0, [(gdoi.ID, ids[1]), (gdoi.HASH, hash_r)], 1),
        ]
        n_i, n_r = self.pull_n
        group = ident(11, struct.pack(">I", 1234))
        request = [(gdoi.GAP, tv(3, 2))] if self.rng.random() < 0.5 else []
        out += [
            self.hashed("PULL1", "i", self.mid, b"", [(gdoi.NONCE, n_i), (gdoi.ID, group)]),
            self.hashed("PULL2", "r", self.mid, n_i, [(gdoi.NONCE, n_r), (gdoi.SA, self.group_policy())]),
            self.hashed("PULL3", "i", self.mid, n_i + n_r, request),
            self.hashed("PULL4", "r", self.mid, n_i + n_r, [
                (gdoi.SEQ, struct.pack(">I", 0)), (gdoi.KD, self.keys_payload())]),
            self.push(1), self.acknowledgement(1),
        ]
        cookies = self.ci + self.cr
        info = self.rng.choice((
            (gdoi.N, notification(2, 1, cookies, 18, b"no such group")), (gdoi.D, delete(0, 1, [cookies])),
            (gdoi.N, notification(0, 1, b"", 16))))
        out.append(self.hashed("INFO", self.rng.choice("ir"), self.rng.getrandbits(32) or 1, b"", [info],
                               gdoi.INFORMATIONAL))
        return out

    def push(self, number):
        parts = [(gdoi.SEQ, struct.pack(">I", number))]
        if self.rng.random() < 0.5:
            parts.append((gdoi.D, delete(2, 1, [self.rng.randbytes(4) for _ in range(self.rng.randrange(1, 4))])))
        if self.lkh and self.rng.random() < 0.8:
            update = update_array(3, 103, [lkh_key(1, 201, self.rng.randbytes(32))])
            parts += [(gdoi.SA, self.group_policy()),
                      (gdoi.KD, key_download([packet(3, self.kek_spi, tlv(2, update)),
                                              packet(1, self.tek_spi, tlv(1, self.tek))]))]
        elif self.rng.random() < 0.8:
            parts += [(gdoi.SA, self.group_policy()), (gdoi.KD, key_download([packet(1, self.tek_spi, tlv(1, self.tek))]))]
        made = Sealed("PUSH", "r", gdoi.PUSH, 0, parts + [(gdoi.SIG, bytes(256))], 1)

        def reseal(octets):
            covered = octets[:-260]
            head = header(self.kek_spi[:8], self.kek_spi[8:], gdoi.SEQ, gdoi.PUSH, 1, 0, 28 + len(octets))
            value = gdoi.rekey_digest("sha256", head, covered)
            return octets[:-256] + self.signer.sign(value, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
        made.resealed = reseal
        made.octets = reseal(made.octets)
        return made

    def acknowledgement(self, number):
        name, bits = gdoi.ACK_HASHES[self.ack]
        base = self.leaf[16:] if self.ack in (2, 4) else self.kek
        key = gdoi.ack_key(name, base, self.kek_spi, bits)
        size = 32 if name == "sha256" else 64
        made = Sealed("PUSH-ACK", "i", gdoi.PUSH_ACK, 0, [
            (gdoi.HASH, bytes(size)), (gdoi.SEQ, struct.pack(">I", number)),
            (gdoi.ID, ident(1, ipaddress.ip_address(self.member).packed))])

        def reseal(octets):
            return octets[:4] + gdoi.prf(name, key, octets[4 + size:]) + octets[4 + size:]
        made.resealed = reseal
        made.octets = reseal(made.octets)
        return made

    def datagrams(self, messages):
        """Encrypts and frames messages: list of (message, IP packet)."""
        out, blocks, phase1 = [], {}, None
        for one in messages:
            ci, cr = self.ci, self.cr
            if one.exchange in (gdoi.PUSH, gdoi.PUSH_ACK):
                ci, cr = self.kek_spi[:8], self.kek_spi[8:]
            elif one.kind == "MM1":
                cr = bytes(8)
            octets = one.octets
            if one.flags & 1:
                octets += bytes(-len(octets) % 16)
            head = header(ci, cr, one.first, one.exchange, one.flags, one.mid, 28 + len(octets), one.version)
            if one.flags & 1:
                if one.exchange == gdoi.PUSH:
                    octets = gdoi.cbc("aes", self.kek, self.kek_iv, octets, True)
                elif one.exchange == gdoi.IDENTITY_PROTECTION:
                    octets = gdoi.cbc("aes", self.key, phase1 or self.first_iv, octets, True)
                    phase1 = octets[-16:]
                else:
                    iv = blocks.get(one.mid) or gdoi.phase2_iv("sha256", phase1, one.mid, 16)
                    octets = gdoi.cbc("aes", self.key, iv, octets, True)
                    blocks[one.mid] = octets[-16:]
            ends = (self.member, self.server) if one.side == "i" else (self.server, self.member)
            out.append((one, udp(*ends, head + octets)))
        return out

    def esp(self, number, inner):
        """An ESP packet of this conversation's group around an IP packet."""
        iv = struct.pack(">Q", number)
        pad = -(len(inner) + 2) % 4
        plain = inner + bytes(range(1, pad + 1)) + bytes([pad, 4])
        head = self.tek_spi + struct.pack(">I", number)
        return head + iv + AESGCM(self.tek[:-4]).encrypt(self.tek[-4:] + iv, plain, head)
