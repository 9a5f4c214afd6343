"""ESP packets and the keys that open them: every transform and every integrity algorithm of the digest."""

import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

import isakmp
import keymath

AES = (16, 24, 32)
WINDOW = 64


class Transform:
    """A row of the table of ESP transforms; lengths in octets, those of keys without the salt."""

    def __init__(self, name, mode, keys, salt, iv, block, icv):  # pylint: disable=too-many-arguments
        self.name, self.mode, self.keys, self.salt, self.iv, self.block, self.icv = name, mode, keys, salt, iv, block, icv

    @property
    def combined(self):
        return self.icv is not None

    @property
    def counter(self):
        """Whether an IV must never come again under a key, and starts with a Sender-ID."""
        return self.mode in ("gcm", "gmac", "ccm", "ctr")

    @property
    def needs_key_length(self):
        return len(self.keys) > 1


TRANSFORMS = {
    2: Transform("DES-CBC", "des", (8,), 0, 8, 8, None),
    3: Transform("3DES-CBC", "3des", (24,), 0, 8, 8, None),
    11: Transform("NULL", "null", (0,), 0, 0, 4, None),
    12: Transform("AES-CBC", "aes", AES, 0, 16, 16, None),
    13: Transform("AES-CTR", "ctr", AES, 4, 8, 4, None),
    14: Transform("AES-CCM-8", "ccm", AES, 3, 8, 4, 8),
    15: Transform("AES-CCM-12", "ccm", AES, 3, 8, 4, 12),
    16: Transform("AES-CCM-16", "ccm", AES, 3, 8, 4, 16),
    18: Transform("AES-GCM-8", "gcm", AES, 4, 8, 4, 8),
    19: Transform("AES-GCM-12", "gcm", AES, 4, 8, 4, 12),
    20: Transform("AES-GCM-16", "gcm", AES, 4, 8, 4, 16),
    22: Transform("CAMELLIA-CBC", "camellia", AES, 0, 16, 16, None),
    23: Transform("NULL_AUTH_AES-GMAC", "gmac", AES, 4, 8, 4, 16),
}
# attribute 5 -> hash of the HMAC (None: AES-XCBC-MAC), octets of the key, octets of the ICV
INTEGRITY = {
    1: ("md5", 16, 12), 2: ("sha1", 20, 12), 5: ("sha256", 32, 16), 6: ("sha384", 48, 24), 7: ("sha512", 64, 32),
    9: (None, 16, 12),
}
# AH: Authentication Algorithm -> octets of TEK_INTEGRITY_KEY; those of GMAC hold a salt
AH_KEYS = {1: 16, 2: 20, 5: 32, 6: 48, 7: 64, 9: 16, 11: 20, 12: 28, 13: 36}


def xcbc(key, data):
    """AES-XCBC-MAC-96."""
    machine = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    first, full, padded = (machine.update(bytes([n]) * 16) for n in (1, 2, 3))
    at = max(0, (len(data) - 1) // 16 * 16)
    last = data[at:]
    mask = full if len(last) == 16 else padded
    last = (last + b"\x80" + bytes(15))[:16] if len(last) < 16 else last
    mixed = bytes(a ^ b for a, b in zip(last, mask))
    chain = Cipher(algorithms.AES(first), modes.CBC(bytes(16))).encryptor()
    return chain.update(data[:at] + mixed)[-16:][:12]


def mac(number, key, data):
    """The ICV of an integrity algorithm."""
    name, _, size = INTEGRITY[number]
    return xcbc(key, data) if name is None else keymath.prf(name, key, data)[:size]


def high_halves(top, low):
    """Upper halves of a sequence number to try: that of the window below top, the highest number proven, or next above it.

    A sender whose first packet is seen may stand before the end of a cycle.
    """
    high, edge = top >> 32, (top & 0xffffffff) - WINDOW + 1
    if edge >= 0:
        high += low < edge
    elif low >= edge % (1 << 32) and high:
        high -= 1
    return [high & 0xffffffff] + ([0xffffffff] if top == 0 else [])


class Opened:
    """An ESP packet whose ICV is right."""

    __slots__ = ("plain", "high")

    def __init__(self, plain, high):
        self.plain, self.high = plain, high


class Association:
    """A traffic entry of keys.json, read once, and what its senders have used of it."""

    def __init__(self, entry):
        self.number, self.integrity = entry.get("cipher"), entry.get("integrity") or 0
        self.key, self.auth = octets(entry, "cipher_key"), octets(entry, "integrity_key")
        self.esn, self.group, self.mode = bool(entry.get("esn")), entry.get("group"), entry.get("mode")
        self.transform = TRANSFORMS.get(self.number)
        self.tops, self.opened = {}, {}     # highest numbers of senders; upper halves of packets, which may come again
        if self.transform and not self.transform.combined and self.integrity not in INTEGRITY:
            self.transform = None

    @property
    def mark(self):
        return self.number, self.key, self.integrity, self.auth, self.esn

    @property
    def tail(self):
        """Octets of the ICV."""
        return self.transform.icv if self.transform.combined else INTEGRITY[self.integrity][2]

    def open(self, data, sender):
        """Opened, or None if no upper half of the sequence number makes the ICV right."""
        low = int.from_bytes(data[4:8], "big")
        top, again = self.tops.get(sender, 0), self.opened.get(data)
        highs = [0] if not self.esn else high_halves(top, low) if again is None else [again]
        for high in highs:
            try:
                plain = self.attempt(data, high)
            except ValueError:
                return None
            if plain is not None:
                self.tops[sender] = max(top, high << 32 | low)
                if self.esn:
                    self.opened[data] = high
                return Opened(plain, high)
        return None

    def attempt(self, data, high):
        kind = self.transform
        half = struct.pack(">I", high) if self.esn else b""
        iv, sealed, icv = data[8:8 + kind.iv], data[8 + kind.iv:-self.tail], data[-self.tail:]
        if not kind.combined:
            if not hmac.compare_digest(mac(self.integrity, self.auth, data[:-self.tail] + half), icv):
                return None
            return self.decrypt(iv, sealed)
        key, salt, aad = self.key[:-kind.salt], self.key[-kind.salt:], data[:4] + half + data[4:8]
        if len(key) not in kind.keys:
            return None
        try:
            if kind.mode == "ccm":
                return AESCCM(key, tag_length=kind.icv).decrypt(salt + iv, sealed + icv, aad)
            if kind.mode == "gmac":
                AESGCM(key).decrypt(salt + iv, icv, aad + iv + sealed)
                return sealed
            return self.gcm(key, salt + iv, sealed, icv, aad)
        except InvalidTag:
            return None

    @staticmethod
    def gcm(key, nonce, sealed, icv, aad):
        if len(icv) == 16:
            return AESGCM(key).decrypt(nonce, sealed + icv, aad)
        machine = Cipher(algorithms.AES(key), modes.GCM(nonce, icv, min_tag_length=len(icv))).decryptor()
        machine.authenticate_additional_data(aad)
        return machine.update(sealed) + machine.finalize()

    def decrypt(self, iv, sealed):
        """Decrypts what a separate ICV has proven."""
        kind = self.transform
        if kind.mode == "null":
            return sealed
        if kind.mode == "ctr":
            block = self.key[-4:] + iv + struct.pack(">I", 1)
            machine = Cipher(algorithms.AES(self.key[:-4]), modes.CTR(block)).decryptor()
            return machine.update(sealed) + machine.finalize()
        if len(sealed) % kind.block or len(self.key) not in kind.keys:
            return None
        return keymath.cbc(kind.mode, self.key, iv, sealed)


def octets(entry, name):
    """A field of an entry in hexadecimal, as octets."""
    try:
        return bytes.fromhex(entry.get(name) or "")
    except (TypeError, ValueError):
        return b""


def associations(entries):
    """spi -> associations, one for each key of an SPI."""
    found = {}
    for entry in entries:
        if entry.get("kind") != "traffic" or not entry.get("spi"):
            continue
        one, have = Association(entry), found.setdefault(entry["spi"], [])
        if all(one.mark != other.mark for other in have):
            have.append(one)
    return found


class UsedIVs:
    """The IVs of a capture: none comes twice under a key, and those of counter modes start with a SID of the group."""

    def __init__(self, entries):
        self.seen, self.sids = {}, {}
        for entry in entries:
            if entry.get("kind") == "sids" and entry.get("bits"):
                self.sids.setdefault(entry.get("group"), set()).update((entry["bits"], v) for v in entry.get("values") or [])

    def check(self, spi, association, iv, packet):
        """ok or bad for the IV of a packet that opened: it is new, unless the whole packet is an old one."""
        if not iv:
            return None
        first = self.seen.setdefault((spi, association.key, iv), packet)
        return keymath.OK if first == packet else keymath.BAD

    def check_sid(self, association, iv):
        """ok or bad for the leftmost bits of an IV; None where there are no SIDs to compare with."""
        sids = self.sids.get(association.group)
        if not sids or not association.transform.counter:
            return None
        number = int.from_bytes(iv, "big")
        known = any(number >> (len(iv) * 8 - bits) == value for bits, value in sids)
        return keymath.OK if known else keymath.BAD


def nodes_of_header(data):
    return [isakmp.Node("SPI", "field", 0, 0, 4, data[:4]),
            isakmp.Node("Sequence", "field", 0, 4, 4, struct.unpack_from(">I", data, 4)[0])]


METADATA = 99   # of GET VPN (docs/getvpn.md)


def metadata(data, at, following):
    """The headers of GET VPN in front of a packet: their nodes, and what protocol is behind them."""
    nodes = []
    while following == METADATA and len(data) >= 4:
        size, kind = data[1], struct.unpack_from(">H", data, 2)[0]
        if (kind, size) not in ((1, 12), (1, 16), (2, 8)) or size > len(data):
            break
        node = isakmp.Node("Metadata", "field", kind, at, size)
        node.kids = [isakmp.Node("Next Header", "field", 0, at, 1, data[0]), isakmp.Node("Length", "field", 0, at + 1, 1, size),
                     isakmp.Node("Kind", "field", 0, at + 2, 2, kind)]
        if kind == 1:
            stamp = struct.unpack_from(">Q", data, 4)[0]
            node.kids.append(isakmp.Node("Pseudotime", "words", 0, at + 4, 8, "%d.%02d" % divmod(stamp, 100)))
        else:
            node.kids.append(isakmp.Node("Tag", "field", 0, at + 4, 2, struct.unpack_from(">H", data, 4)[0]))
        nodes.append(node)
        data, at, following = data[size:], at + size, data[0]
    return nodes, following


def contents(plain, at):
    """Trailer, headers of GET VPN, inner packet or data: nodes, the inner octets, and what is wrong with them or None."""
    pad, following = plain[-2], plain[-1]
    end = at + len(plain)
    nodes = [isakmp.Node("Pad Length", "field", 0, end - 2, 1, pad),
             isakmp.Node("Next Header", "field", 0, end - 1, 1, following)]
    if pad + 2 > len(plain):
        return nodes, None, "Pad Length %d" % pad
    headers, following = metadata(plain[:-2 - pad], at, following)
    nodes += headers
    before = sum(h.length for h in headers)
    inner, at = plain[before:-2 - pad], at + before
    inside = isakmp.ip_nodes(inner, at) if following in (4, 41) else []
    if inside:
        inner = inner[:inside[0].length]    # what follows the packet is padding against traffic analysis
    nodes += inside or [isakmp.Node("Data", "field", 0, at, len(inner), inner)]
    if inside and inner[0] >> 4 != {4: 4, 41: 6}[following]:
        return nodes, inner, "inside: IP version %d behind Next Header %d" % (inner[0] >> 4, following)
    wrong = pad and plain[-2 - pad:-2] != bytes(range(1, pad + 1))
    return nodes, inner, "ESP padding is not 1, 2, 3, …" if wrong else None
