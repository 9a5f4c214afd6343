"""A second decoder of GDOI over IKEv1: messages, keys, IV chains, HASH and SIG checks.

It shares nothing with the decoder of the harness. Offsets count from the start of the ISAKMP header; those of an
encrypted message are offsets in the message after decryption. No input makes it raise: what cannot be read ends up in
Message.error.
"""

import hashlib
import hmac
import itertools
import struct

import capfile

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OK, BAD, UNCHECKED = "ok", "bad", "unchecked"

HEADER = 28
IDENTITY_PROTECTION, INFORMATIONAL, PULL, PUSH, PUSH_ACK = 2, 5, 32, 33, 35
SA, P, T, KE, ID, CERT, CR, HASH, SIG, NONCE, N, D, VID = range(1, 14)
SAK, SAT, KD, SEQ, NAT_OA, GAP = 15, 16, 17, 18, 21, 22

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
}
IEC_ATTRIBUTES = {1: "SA_ATD", 2: "SA_KDA"}
KD_TYPES = {1: "TEK", 2: "KEK", 3: "LKH", 4: "SID"}
KD_ATTRIBUTES = {
    1: {1: "TEK_ALGORITHM_KEY", 2: "TEK_INTEGRITY_KEY", 3: "TEK_SOURCE_AUTH_KEY"},
    2: {1: "KEK_ALGORITHM_KEY", 2: "SIG_ALGORITHM_KEY"},
    3: {1: "LKH_DOWNLOAD_ARRAY", 2: "LKH_UPDATE_ARRAY", 3: "SIG_ALGORITHM_KEY"},
    4: {1: "NUMBER_OF_SID_BITS", 2: "SID_VALUE"},
}
PHASE1_HASHES = {1: "md5", 2: "sha1", 4: "sha256", 5: "sha384", 6: "sha512"}
SIG_HASHES = {1: "md5", 2: "sha1", 3: "sha256", 4: "sha384", 5: "sha512"}
ACK_HASHES = {1: ("sha256", 512), 2: ("sha256", 512), 3: ("sha512", 1024), 4: ("sha512", 1024)}


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


class Message:
    """What is known of one frame."""

    def __init__(self, number=0):
        self.number = number
        self.kind = "other"
        self.header = None
        self.payloads = []
        self.checks = {}
        self.error = None
        self.remarks = []   # what a strict receiver has to refuse although it can be read
        self.encrypted = self.decrypted = False
        self.repeats = 0
        self.src = self.dst = None
        self.link = None
        self.comments = []
        self.packet = None
        self.plain = None   # the message after decryption, header included
        self.end = 0        # where the last payload ends in it
        self.inner = None   # of ESP

    @property
    def leaves(self):
        """List of (path, offset, length, value) of everything that has a value."""
        return [(path, n.offset, n.length, n.value) for p in self.payloads for path, n in p.walk()
                if n.value is not None]

    def payload(self, kind):
        for node in self.payloads:
            if node.number == kind:
                return node
        return None

    def body(self, kind):
        node = self.payload(kind)
        return None if node is None else self.plain[node.offset + 4:node.offset + node.length]

    def octets(self, node):
        return self.plain[node.offset:node.offset + node.length]


# ---------------------------------------------------------------------------------------------------------------------
# Payloads

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
        sizes = {1: 4, 4: 8, 5: 16, 6: 32, 7: 8, 8: 32}
        if kind in sizes and len(data) != sizes[kind]:
            self.remarks.append("identification data of %d octets for type %d at octet %d" % (len(data), kind, at))

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
            self.field(node, "Data", at, end - at, end, raw=True)

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


# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic of the keys

def prf(name, key, *parts):
    return hmac.new(key, b"".join(parts), name).digest()


def digest(name, *parts):
    return hashlib.new(name, b"".join(parts)).digest()


def skeyid_psk(name, psk, ni, nr):
    return prf(name, psk, ni, nr)


def skeyid_signature(name, ni, nr, shared):
    return prf(name, ni + nr, shared)


def skeyid_dae(name, skeyid, shared, ci, cr):
    """SKEYID_d, SKEYID_a, SKEYID_e."""
    d = prf(name, skeyid, shared, ci, cr, b"\0")
    a = prf(name, skeyid, d, shared, ci, cr, b"\1")
    e = prf(name, skeyid, a, shared, ci, cr, b"\2")
    return d, a, e


def expand(name, skeyid_e, size):
    """The cipher key of Phase 1 of size octets."""
    if len(skeyid_e) >= size:
        return skeyid_e[:size]
    out = last = prf(name, skeyid_e, b"\0")
    while len(out) < size:
        last = prf(name, skeyid_e, last)
        out += last
    return out[:size]


def hash_i(name, skeyid, gxi, gxr, ci, cr, sa_body, id_body):
    return prf(name, skeyid, gxi, gxr, ci, cr, sa_body, id_body)


def hash_r(name, skeyid, gxi, gxr, ci, cr, sa_body, id_body):
    return prf(name, skeyid, gxr, gxi, cr, ci, sa_body, id_body)


def phase2_iv(name, last_block, message_id, size):
    return digest(name, last_block, struct.pack(">I", message_id))[:size]


def nat_d(name, ci, cr, address, port):
    return digest(name, ci, cr, address, struct.pack(">H", port))


def rekey_digest(name, header, payloads):
    """What the SIG payload of a PUSH signs; header with the Length to be hashed."""
    return digest(name, b"rekey", header, payloads)


def ack_key(name, base, spi, bits):
    return prf(name, base, b"GROUPKEY-PUSH ACK\0", spi, struct.pack(">H", bits))


def block_size(cipher):
    return 16 if cipher == "aes" else 8


def cbc(cipher, key, iv, data, encrypt=False):
    if cipher == "aes":
        algorithm = algorithms.AES(key)
    else:
        algorithm = algorithms.TripleDES(key * 3 if len(key) == 8 else key)
    machine = Cipher(algorithm, modes.CBC(iv))
    run = machine.encryptor() if encrypt else machine.decryptor()
    return run.update(data) + run.finalize()


def verify_signature(algorithm, hash_name, public, value, signature):
    """Checks a signature over a hash value that is already computed. 'bare' is PKCS#1 without DigestInfo."""
    try:
        key = serialization.load_der_public_key(public)
    except (ValueError, TypeError):
        return UNCHECKED
    if algorithm == 1 and isinstance(key, rsa.RSAPublicKey):
        kinds = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
                 "sha512": hashes.SHA512}
        try:
            key.verify(signature, value, padding.PKCS1v15(), utils.Prehashed(kinds[hash_name]()))
            return OK
        except (InvalidSignature, ValueError):
            pass
        size = (key.key_size + 7) // 8
        numbers = key.public_numbers()
        block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(size, "big")
        if block == b"\0\1" + b"\xff" * (size - 3 - len(value)) + b"\0" + value:
            return "bare"
        return BAD
    if algorithm in (4, 5, 6) and isinstance(key, ec.EllipticCurvePublicKey):
        half = {4: 32, 5: 48, 6: 66}[algorithm]
        kind = {4: hashes.SHA256, 5: hashes.SHA384, 6: hashes.SHA512}[algorithm]
        if len(signature) != 2 * half:
            return BAD
        der = utils.encode_dss_signature(int.from_bytes(signature[:half], "big"),
                                         int.from_bytes(signature[half:], "big"))
        try:
            key.verify(der, value, ec.ECDSA(utils.Prehashed(kind())))
            return OK
        except (InvalidSignature, ValueError):
            return BAD
    return UNCHECKED


def ip_nodes(data, at):
    """The IP packet as a node, at this offset."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        head = (data[0] & 15) * 4
        size = struct.unpack_from(">H", data, 2)[0]
        data = data[:size] if head <= size else data
        node = Node("IPv4", "ip", 4, at, len(data))
        node.kids = [Node("TOS", "field", 0, at + 1, 1, data[1]),
                     Node("Identification", "field", 0, at + 4, 2, struct.unpack_from(">H", data, 4)[0]),
                     Node("TTL", "field", 0, at + 8, 1, data[8]),
                     Node("Data", "field", 0, at + head, len(data) - head, data[head:])]
        return [node]
    if len(data) >= 40 and data[0] >> 4 == 6:
        data = data[:40 + struct.unpack_from(">H", data, 4)[0]]
        node = Node("IPv6", "ip", 6, at, len(data))
        first = struct.unpack_from(">L", data, 0)[0]
        node.kids = [Node("Traffic Class", "field", 0, at, 1, first >> 20 & 0xff),
                     Node("Flow Label", "field", 0, at + 1, 3, first & 0xfffff),
                     Node("Hop Limit", "field", 0, at + 7, 1, data[7])]
        headers, head = extension_headers(data, at)
        node.kids += headers + [Node("Data", "field", 0, at + head, len(data) - head, data[head:])]
        return [node]
    return []


EXTENSIONS = {0: "Hop-by-Hop Options", 43: "Routing", 44: "Fragment", 60: "Destination Options"}


def extension_headers(data, at):
    """The extension headers of an IPv6 packet as nodes, and where what they stand before begins (RFC 8200 4)."""
    nodes, head, following = [], 40, data[6]
    while following in EXTENSIONS and head + 8 <= len(data):
        size = 8 if following == 44 else 8 + 8 * data[head + 1]
        nodes.append(Node(EXTENSIONS[following], "field", 0, at + head, size))
        last, following, head = following, data[head], head + size
        if last == 44:
            break
    return nodes, head


# ---------------------------------------------------------------------------------------------------------------------
# Conversations

class Exchange:
    """A PULL or an Informational exchange under one Message ID."""

    def __init__(self):
        self.blocks = []        # last ciphertext blocks, the newest that was read well first
        self.ni, self.nr = [], []
        self.seen = []          # kinds


class Phase1:
    """A Phase 1 SA: its keys, and what went over the wire under its cookies."""

    def __init__(self, ci, cr):
        self.ci, self.cr = ci, cr
        self.cipher, self.hash, self.bits = "aes", "sha256", 0
        self.skeyid = self.skeyid_a = self.skeyid_e = self.key = self.first_iv = None
        self.shared = None
        self.kes = {"i": [], "r": []}
        self.nonces = {"i": [], "r": []}
        self.blocks = []
        self.exchanges = {}


class Reader:
    """Reads the frames of one capture in order, with the entries of a keys.json."""

    def __init__(self, keys=None):
        self.keys = keys or {}
        self.entries = [e for e in self.keys.get("entries", []) if isinstance(e, dict)]
        self.initiators = {}    # cookie_i -> addresses that sent a message 1
        self.sas = {}           # cookie_i -> bodies of SA payloads of message 1
        self.phase1 = {}        # (cookie_i, cookie_r) -> Phase1
        self.repeats = {}
        self.done = {}
        self.leaf_keys = []     # first LKH keys of download arrays
        self.fragments = capfile.Reassembler()

    # -- frames

    def frame(self, frame):
        msg = Message(frame.number)
        msg.link, msg.comments, msg.packet = frame.link, frame.comments, frame.ip
        pkt = frame.ip
        if pkt is None:
            return msg
        msg.src, msg.dst = pkt.src, pkt.dst
        if pkt.fragment:
            whole = self.fragments.add(frame.link, pkt)
            if whole is None:
                msg.kind = "fragment"
                msg.payloads = ip_nodes(pkt.raw, 0)
                return msg
            msg.packet = pkt = whole
        if pkt.proto == 50:
            self.remember(msg, pkt.src, pkt.dst, pkt.payload)
            self.esp(msg, pkt.payload, pkt.payload_at)
            return msg
        if pkt.udp is not None and 848 in (pkt.sport, pkt.dport):
            return self.isakmp(msg, pkt, pkt.udp)
        if pkt.udp is not None and 4500 in (pkt.sport, pkt.dport):
            if pkt.udp[:4] == b"\0\0\0\0":
                return self.isakmp(msg, pkt, pkt.udp[4:])
            if len(pkt.udp) > 8:
                self.remember(msg, pkt.src, pkt.dst, pkt.udp)
                self.esp(msg, pkt.udp, pkt.udp_at)
                return msg
        msg.kind = "clear"
        msg.payloads = ip_nodes(pkt.raw, 0)
        return msg

    def remember(self, msg, src, dst, data):
        key = (msg.link, src, dst, bytes(data))
        msg.repeats = self.repeats.setdefault(key, msg.number)
        if msg.repeats == msg.number:
            msg.repeats = 0

    def isakmp(self, msg, pkt, data):
        src, dst = "%s:%d" % (pkt.src, pkt.sport), "%s:%d" % (pkt.dst, pkt.dport)
        if pkt.version == 6:
            src, dst = "[%s]:%d" % (pkt.src, pkt.sport), "[%s]:%d" % (pkt.dst, pkt.dport)
        msg.src, msg.dst = src, dst
        self.remember(msg, src, dst, data)
        if msg.repeats and msg.repeats in self.done:
            old = self.done[msg.repeats]
            for name in ("kind", "header", "payloads", "checks", "error", "remarks", "encrypted", "decrypted", "plain", "end"):
                setattr(msg, name, getattr(old, name))
            return msg
        try:
            self.message(msg, data, pkt.src)
        except Exception as err:  # pylint: disable=broad-except
            msg.error = "decoder failed: %s: %s" % (type(err).__name__, err)
        self.done[msg.number] = msg
        return msg

    # -- messages

    def message(self, msg, data, sender=None):
        """Reads the octets of an ISAKMP message into msg."""
        msg.header = head = parse_header(data)
        if head is None:
            msg.kind, msg.error = "unknown", "shorter than a header"
            return msg
        msg.plain = data
        msg.encrypted = bool(head["flags"] & 1)
        exchange = head["exchange"]
        cut = None
        if head["length"] < HEADER or head["length"] > len(data):
            cut = "header Length %d in %d octets" % (head["length"], len(data))
        elif head["length"] < len(data):
            cut = "header Length %d in %d octets" % (head["length"], len(data))
            data = msg.plain = data[:head["length"]]
        reader = {IDENTITY_PROTECTION: self.main_mode, INFORMATIONAL: self.informational, PULL: self.pull,
                  PUSH: self.push, PUSH_ACK: self.ack}.get(exchange)
        if reader is None:
            msg.kind = "unknown"
            if not msg.encrypted:
                msg.payloads, msg.end, msg.error, msg.remarks = parse_payloads(data, 0)
        else:
            reader(msg, data, sender)
        if cut:
            msg.error = cut
        return msg

    def sa_of(self, head):
        pair = (bytes.fromhex(head["initiator_cookie"]), bytes.fromhex(head["responder_cookie"]))
        known = self.phase1.get(pair)
        if known is None:
            known = Phase1(*pair)
            for entry in self.entries:
                if entry.get("kind") == "phase1" and entry.get("cookie_i") == head["initiator_cookie"] and \
                        entry.get("cookie_r") == head["responder_cookie"]:
                    self.load(known, entry)
                    break
            else:
                if not any(e.get("kind") == "phase1" for e in self.entries) and pair[1] == bytes(8):
                    return known
            self.phase1[pair] = known
        return known

    @staticmethod
    def load(known, entry):
        def octets(name):
            try:
                return bytes.fromhex(entry[name]) if entry.get(name) else None
            except (ValueError, TypeError):
                return None
        known.skeyid, known.skeyid_a, known.skeyid_e = octets("skeyid"), octets("skeyid_a"), octets("skeyid_e")
        known.skeyid_d = octets("skeyid_d")
        known.key, known.first_iv = octets("cipher_key"), octets("first_iv")
        known.shared = octets("shared_secret") or octets("g_xy")
        sizes = {16: "md5", 20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}
        if known.skeyid:
            known.hash = sizes.get(len(known.skeyid), "sha256")

    def role(self, msg, sender):
        """i or r, by who sent message 1 under this cookie; None if that is unknown."""
        who = self.initiators.get(msg.header["initiator_cookie"])
        if who is None or sender is None:
            return None
        return "i" if sender in who else "r"

    # .. decryption

    @staticmethod
    def plausible(data, end):
        """How many of the three parts of the first generic header look right."""
        if data[16] == 0:
            return 0
        following, reserved, length = struct.unpack_from(">BBH", data, HEADER)
        return (following in PAYLOADS or following == 0) + (reserved == 0) + (4 <= length <= end - HEADER)

    def open(self, msg, data, cipher, key, ivs):
        """Decrypts with the first of the IVs that gives a whole chain of payloads, else with the most plausible one."""
        size = block_size(cipher)
        body = data[HEADER:]
        if len(key or b"") not in ((16, 24, 32) if cipher == "aes" else (8, 16, 24)):
            return False
        if not body or len(body) % size:
            msg.error = "ciphertext of %d octets" % len(body)
            return False
        best = None
        for iv in ivs:
            if iv is None or len(iv) != size:
                continue
            plain = data[:HEADER] + cbc(cipher, key, iv, body)
            nodes, end, error, remarks = parse_payloads(plain, size)
            score = self.plausible(plain, len(plain))
            if score and error is None:
                score += 4 if remarks else 7
            if best is None or score > best[0]:
                best = (score, plain, nodes, end, error, remarks)
            if score >= 8:
                break
        if best is None or best[0] < 2:
            return False
        _, msg.plain, msg.payloads, msg.end, msg.error, msg.remarks = best
        msg.decrypted = True
        return True

    # .. Phase 1

    def main_mode(self, msg, data, sender):
        head = msg.header
        ci, zero = head["initiator_cookie"], head["responder_cookie"] == "00" * 8
        if zero:
            # the first message is in clear, whatever its flags say
            msg.kind = "MM1"
            msg.payloads, msg.end, msg.error, msg.remarks = parse_payloads(data, 0)
            if sender is not None:
                self.initiators.setdefault(ci, set()).add(sender)
            if msg.payload(SA) and not msg.error:
                self.sas.setdefault(ci, []).append(msg.body(SA))
            return
        known = self.sa_of(head)
        role = self.role(msg, sender)
        if not msg.encrypted:
            msg.payloads, msg.end, msg.error, msg.remarks = parse_payloads(data, 0)
            kinds = {p.number for p in msg.payloads}
            if not kinds & {SA, KE, NONCE}:
                msg.kind = "unknown"
                return
            if msg.payloads[0].number == SA or not kinds & {KE, NONCE}:
                msg.kind = "MM2"
                if msg.packet is not None:
                    self.initiators.setdefault(ci, {msg.packet.dst})
                self.choose(known, msg)
                return
            msg.kind = "MM4" if role == "r" else "MM3"
            side = "r" if role == "r" else "i"
            if msg.payload(KE) and msg.payload(KE).fits:
                known.kes[side].insert(0, msg.body(KE))
            if msg.payload(NONCE) and msg.payload(NONCE).fits:
                known.nonces[side].insert(0, msg.body(NONCE))
            return
        msg.kind = "MM6" if role == "r" else "MM5"
        name = "HASH_R" if role == "r" else "HASH_I"
        msg.checks[name] = UNCHECKED
        ivs = [b for b in known.blocks] + [known.first_iv] if role == "r" else [known.first_iv] + known.blocks
        size = block_size(known.cipher)
        if not self.open(msg, data, known.cipher, known.key, ivs):
            known.blocks.append(data[-size:])
            return
        if msg.payload(HASH) and msg.payload(ID) and not self.early(msg, ID):
            msg.checks[name] = self.check_phase1(known, role, msg)
            self.check_keys(known, msg)
        elif msg.payload(SIG) and msg.payload(ID):
            msg.checks[name] = UNCHECKED
        elif not msg.error:
            msg.checks[name] = BAD
        if msg.error is None and msg.checks[name] != BAD:
            known.blocks.insert(0, data[-size:])
        else:
            known.blocks.append(data[-size:])

    @staticmethod
    def early(msg, kind):
        """Whether the message broke off inside this payload."""
        return not msg.payload(kind).fits

    def choose(self, known, msg):
        sa = msg.payload(SA)
        if msg.error or sa is None:
            return
        for proposal in (k for k in sa.kids if k.name == "P"):
            for transform in (k for k in proposal.kids if k.name == "T"):
                number = transform.attribute(1)
                if number in (1, 5, 7) and len(known.key or b"") in {1: (8,), 5: (24,), 7: (16, 24, 32)}[number]:
                    known.cipher = "aes" if number == 7 else "des"
                known.hash = PHASE1_HASHES.get(transform.attribute(2), known.hash)
                known.bits = transform.attribute(14, 0)
                return

    def check_phase1(self, known, role, msg):
        got, ident = msg.body(HASH), msg.body(ID)
        sas = self.sas.get(msg.header["initiator_cookie"], [])
        if not known.skeyid or not sas or not known.kes["i"] or not known.kes["r"]:
            return UNCHECKED
        make = hash_r if role == "r" else hash_i
        for sa, gxi, gxr in itertools.product(sas, known.kes["i"], known.kes["r"]):
            if hmac.compare_digest(make(known.hash, known.skeyid, gxi, gxr, known.ci, known.cr, sa, ident), got):
                return OK
        return BAD

    def check_keys(self, known, msg):
        """What of the key hierarchy can be recomputed from the wire and the logged keys."""
        pairs = list(itertools.product(known.kes["i"], known.kes["r"]))
        size = block_size(known.cipher)
        if known.first_iv and pairs:
            good = any(digest(known.hash, a + b)[:size] == known.first_iv for a, b in pairs)
            altered = UNCHECKED if BAD in msg.checks.values() else BAD  # KE of the wire are not those of the peers
            msg.checks["first IV"] = OK if good else altered
        if known.skeyid_e and known.key:
            good = expand(known.hash, known.skeyid_e, len(known.key)) == known.key
            msg.checks["cipher key"] = OK if good else BAD
        if known.shared and known.skeyid:
            three = skeyid_dae(known.hash, known.skeyid, known.shared, known.ci, known.cr)
            good = three == (known.skeyid_d, known.skeyid_a, known.skeyid_e)
            msg.checks["SKEYID_d/a/e"] = OK if good else BAD

    # .. exchanges under Phase 1

    def ivs(self, known, exchange, mid):
        size = block_size(known.cipher)
        firsts = [phase2_iv(known.hash, block, mid, size) for block in known.blocks]
        if not known.blocks and known.first_iv:
            firsts.append(phase2_iv(known.hash, known.first_iv, mid, size))
        return exchange.blocks + firsts

    def informational(self, msg, data, sender):
        msg.kind = "INFO"
        known = self.sa_of(msg.header)
        if not msg.encrypted:
            msg.payloads, msg.end, msg.error, msg.remarks = parse_payloads(data, 0)
            return
        msg.checks["HASH(1)"] = UNCHECKED
        mid = msg.header["message_id"]
        exchange = known.exchanges.setdefault((INFORMATIONAL, mid), Exchange())
        if not self.open(msg, data, known.cipher, known.key, self.ivs(known, exchange, mid)[::-1]):
            return
        msg.checks["HASH(1)"] = self.check_hash(known, msg, b"")

    def check_hash(self, known, msg, middle):
        """HASH first, and equal to prf(SKEYID_a, M-ID | middle | everything after it)."""
        if not known.skeyid_a:
            return UNCHECKED
        if not msg.payloads or msg.payloads[0].number != HASH:
            return BAD
        first = msg.payloads[0]
        if not first.fits:
            return UNCHECKED
        got = msg.plain[first.offset + 4:first.offset + first.length]
        rest = msg.plain[first.offset + first.length:msg.end] if not msg.error else None
        if rest is None:
            return UNCHECKED
        mid = struct.pack(">I", msg.header["message_id"])
        return OK if hmac.compare_digest(prf(known.hash, known.skeyid_a, mid, middle, rest), got) else BAD

    def pull(self, msg, data, sender):
        known = self.sa_of(msg.header)
        mid = msg.header["message_id"]
        exchange = known.exchanges.setdefault((PULL, mid), Exchange())
        role = self.role(msg, sender)
        opened = True
        if msg.encrypted:
            opened = self.open(msg, data, known.cipher, known.key, self.ivs(known, exchange, mid))
        else:
            msg.payloads, msg.end, msg.error, msg.remarks = parse_payloads(data, 0)
        step = self.step(msg, exchange, role)
        result = UNCHECKED
        if opened:
            step, result = self.check_pull(known, msg, exchange, step)
        msg.kind = "PULL%d" % step
        msg.checks["HASH(%d)" % step] = result
        if not opened:
            exchange.blocks.append(data[-block_size(known.cipher):])
            return
        good = msg.error is None and result != BAD
        self.keep(exchange, msg, step, good)
        block = data[-block_size(known.cipher):]
        if len(data) >= HEADER + len(block):
            if good and msg.encrypted:
                exchange.blocks.insert(0, block)
            else:
                exchange.blocks.append(block)
        if good:
            exchange.seen.append(step)

    @staticmethod
    def step(msg, exchange, role):
        """Which of the four messages this is, by its payloads, its sender and its place."""
        kinds = {p.number for p in msg.payloads}
        if role == "i":
            return 1 if kinds & {ID, NONCE} or not msg.payloads and not exchange.seen else 3
        if role == "r":
            return 4 if 3 in exchange.seen or (kinds & {KD, SEQ} and not kinds & {SA, NONCE}) else 2
        if kinds & {SA}:
            return 2
        if kinds & {KD, SEQ}:
            return 4
        return 1 if ID in kinds or not kinds or not exchange.seen else 3

    def middles(self, exchange, step, msg):
        own = [msg.body(NONCE)] if msg.payload(NONCE) and msg.payload(NONCE).fits else []
        if step == 1:
            return [b""]
        if step == 2:
            return exchange.ni
        return [a + b for a, b in itertools.product(exchange.ni, exchange.nr + (own if step == 4 else []))]

    def check_pull(self, known, msg, exchange, step):
        order = [step] + [n for n in {1: (3,), 3: (1,), 2: (4,), 4: (2,)}[step]]
        first = UNCHECKED
        for which in order:
            results = {self.check_hash(known, msg, middle) for middle in self.middles(exchange, which, msg)}
            if OK in results:
                return which, OK
            if which == step and results:
                first = BAD if BAD in results else UNCHECKED
        return step, first

    @staticmethod
    def keep(exchange, msg, step, good):
        node = msg.payload(NONCE)
        if node is None or not node.fits or step not in (1, 2):
            return
        spot = exchange.ni if step == 1 else exchange.nr
        body = msg.body(NONCE)
        if body in spot:
            return
        if good:
            spot.insert(0, body)
        else:
            spot.append(body)

    # .. GROUPKEY-PUSH and its acknowledgement

    def rekeys(self, head):
        spi, seen = head["initiator_cookie"] + head["responder_cookie"], []
        for entry in self.entries:
            if entry.get("kind") != "rekey" or entry.get("spi") != spi:
                continue
            one = (entry.get("cipher", 3), bytes.fromhex(entry.get("iv") or ""), bytes.fromhex(entry.get("key") or ""),
                   bytes.fromhex(entry.get("public_key") or ""), entry.get("sig_hash", 3),
                   entry.get("sig_algorithm", 1), entry.get("ack", 0))
            if one not in seen:
                seen.append(one)
        return seen

    def push(self, msg, data, _):
        msg.kind = "PUSH"
        msg.checks["SIG"] = UNCHECKED
        rekeys = self.rekeys(msg.header)
        if not msg.encrypted:
            msg.payloads, msg.end, msg.error, msg.remarks = parse_payloads(data, 0)
            if rekeys:
                self.check_sig(msg, rekeys)
            return
        for one in rekeys:
            cipher = "aes" if one[0] == 3 else "des"
            if one[2] and self.open(msg, data, cipher, one[2], [one[1]]):
                self.check_sig(msg, rekeys)
                return

    def check_sig(self, msg, rekeys):
        node = msg.payload(SIG)
        if node is None:
            if not msg.error:
                msg.checks["SIG"] = BAD
            return
        if not node.fits or msg.error:
            return
        signature, covered = msg.body(SIG), msg.plain[HEADER:node.offset]
        results = set()
        for _, _, _, public, hash_number, algorithm, _ in rekeys:
            if not public:
                continue
            name = {4: "sha256", 5: "sha384", 6: "sha512"}.get(algorithm) or SIG_HASHES.get(hash_number)
            if name is None:
                continue
            for length in (msg.end, len(msg.plain)):
                header = msg.plain[:24] + struct.pack(">I", length)
                results.add(verify_signature(algorithm, name, public, rekey_digest(name, header, covered), signature))
        if OK in results:
            msg.checks["SIG"] = OK
        elif "bare" in results:
            msg.checks["SIG"] = "bare"
        elif BAD in results:
            msg.checks["SIG"] = BAD

    def ack(self, msg, data, _):
        msg.kind = "PUSH-ACK"
        msg.checks["ACK HASH"] = UNCHECKED
        if msg.encrypted:
            return
        msg.payloads, msg.end, msg.error, msg.remarks = parse_payloads(data, 0)
        if msg.error:
            return
        first = msg.payloads[0] if msg.payloads else None
        rekeys = self.rekeys(msg.header)
        if not rekeys:
            return
        if [p.number for p in msg.payloads] not in ([HASH, SEQ, ID],):
            msg.checks["ACK HASH"] = BAD
            return
        spi, got, rest = data[:16], msg.body(HASH), msg.plain[first.offset + first.length:msg.end]
        results = set()
        for one in rekeys:
            asked = [one[6]] if one[6] in ACK_HASHES else [1, 2, 3, 4]
            for kind in asked:
                name, bits = ACK_HASHES[kind]
                for base in ([one[2]] if kind in (1, 3) else self.leaf_keys + self.lkh_leaves()):
                    made = prf(name, ack_key(name, base, spi, bits), rest)
                    results.add(OK if hmac.compare_digest(made, got) else BAD)
        msg.checks["ACK HASH"] = OK if OK in results else BAD if results else UNCHECKED

    def lkh_leaves(self):
        """First keys, without IV, of the LKH download arrays that were seen."""
        found = []
        for msg in self.done.values():
            for payload in msg.payloads:
                for _, node in payload.walk():
                    if node.name == "LKH_DOWNLOAD_ARRAY":
                        keys = [k for k in node.kids if k.kind == "lkhkey"]
                        if keys:
                            iv = 16 if keys[0].get("Key Type") == 3 else 8
                            data = keys[0].get("Key Data") or b""
                            found.append(data[iv:])
        return found

    # -- ESP

    def esp(self, msg, data, at):
        """Header, IV, ICV check and the trailer of an ESP packet. Offsets count from the start of the ESP header."""
        msg.kind, msg.encrypted = "ESP", True
        if len(data) < 8:
            msg.error = "shorter than an ESP header"
            return
        spi = data[:4].hex()
        msg.payloads = [Node("SPI", "field", 0, 0, 4, data[:4]),
                        Node("Sequence", "field", 0, 4, 4, struct.unpack_from(">I", data, 4)[0])]
        msg.checks["ICV"] = UNCHECKED
        keys = []
        for entry in self.entries:
            if entry.get("kind") == "traffic" and entry.get("spi") == spi:
                one = (entry.get("cipher"), entry.get("cipher_key") or "", entry.get("integrity") or 0,
                       entry.get("integrity_key") or "", bool(entry.get("esn")))
                if one not in keys:
                    keys.append(one)
        for one in keys:
            result = self.esp_open(msg, data, one)
            if result == OK:
                return

    def esp_open(self, msg, data, one):
        cipher, key, integrity, auth, esn = one[0], bytes.fromhex(one[1]), one[2], bytes.fromhex(one[3]), one[4]
        size = {20: 8, 12: 16, 3: 8, 11: 0}.get(cipher)
        macs = {1: ("md5", 12), 2: ("sha1", 12), 5: ("sha256", 16), 6: ("sha384", 24), 7: ("sha512", 32)}
        if size is None or (cipher != 20 and integrity not in macs):
            return UNCHECKED
        tail = 16 if cipher == 20 else macs[integrity][1]
        if len(data) < 8 + size + tail + 2:
            msg.error = "ESP packet of %d octets" % len(data)
            return BAD
        iv, sealed, icv = data[8:8 + size], data[8 + size:-tail], data[-tail:]
        del msg.payloads[2:]
        if size:
            msg.payloads.append(Node("IV", "field", 0, 8, size, iv))
        msg.payloads.append(Node("ICV", "field", 0, len(data) - tail, tail, icv))
        plain = None
        if cipher == 20:
            aad = data[:4] + bytes(4) + data[4:8] if esn else data[:8]
            try:
                plain = AESGCM(key[:-4]).decrypt(key[-4:] + iv, sealed + icv, aad)
            except (InvalidTag, ValueError):
                pass
        else:
            name = macs[integrity][0]
            made = prf(name, auth, data[:-tail], bytes(4) if esn else b"")[:tail]
            if hmac.compare_digest(made, icv):
                if cipher == 11:
                    plain = sealed
                elif len(sealed) % size == 0:
                    plain = cbc("aes" if cipher == 12 else "des", key, iv, sealed)
        msg.checks["ICV"] = OK if plain is not None else BAD
        if plain is None:
            return BAD
        msg.decrypted = True
        pad, following = plain[-2], plain[-1]
        spot = 8 + size + len(plain)
        msg.payloads.append(Node("Pad Length", "field", 0, spot - 2, 1, pad))
        msg.payloads.append(Node("Next Header", "field", 0, spot - 1, 1, following))
        if pad + 2 > len(plain):
            msg.error = "Pad Length %d" % pad
        else:
            msg.inner = plain[:-2 - pad]
            nodes = ip_nodes(msg.inner, 8 + size) if following in (4, 41) else []
            if nodes:
                # what follows the packet is padding against traffic analysis
                msg.inner = msg.inner[:nodes[0].length]
            msg.payloads += nodes or [Node("Data", "field", 0, 8 + size, len(msg.inner), msg.inner)]
            if pad and plain[-2 - pad:-2] != bytes(range(1, pad + 1)):
                msg.error = "ESP padding is not 1, 2, 3, …"
        return OK


def read(frames, keys=None):
    """Messages of all frames of a capture."""
    reader = Reader(keys)
    return [reader.frame(frame) for frame in frames]
