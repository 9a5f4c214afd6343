"""What the second decoder knows of an SA: the keys of keys.json, and what went over the wire under it."""

import espkeys
import keymath
from keymath import BAD, OK, UNCHECKED


class Exchange:
    """A PULL or an Informational exchange under one Message ID."""

    def __init__(self):
        self.blocks = []        # last ciphertext blocks, the newest that was read well first
        self.ni, self.nr = [], []
        self.seen = []          # kinds
        self.sa = None          # the SA payload of message 2


class Phase1:
    """A Phase 1 SA: its keys, and what went over the wire under its cookies."""

    def __init__(self, ci, cr):
        self.ci, self.cr = ci, cr
        self.cipher, self.hash, self.group, self.method, self.key_size = "aes", "sha256", None, 1, None
        self.skeyid = self.skeyid_d = self.skeyid_a = self.skeyid_e = self.key = self.first_iv = self.shared = None
        self.kes = {"i": [], "r": []}
        self.nonces = {"i": [], "r": []}
        self.blocks = []
        self.exchanges = {}

    def load(self, entry):
        """Takes the keys of an entry, and from their lengths what is not known from messages 1 and 2."""
        def octets(name):
            return espkeys.octets(entry, name) or None
        self.skeyid, self.skeyid_a, self.skeyid_e = octets("skeyid"), octets("skeyid_a"), octets("skeyid_e")
        self.skeyid_d = octets("skeyid_d")
        self.key, self.first_iv = octets("cipher_key"), octets("first_iv")
        self.shared = octets("shared_secret") or octets("g_xy")
        sizes = {16: "md5", 20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}
        self.hash = sizes.get(len(self.skeyid or b""), self.hash)
        if len(self.first_iv or b"") == 8:
            self.cipher = "des" if len(self.key or b"") == 8 else "3des"

    def choose(self, transform):
        """Takes the suite of a transform; what is not known leaves the old value."""
        self.cipher = keymath.PHASE1_CIPHERS.get(transform.attribute(1), self.cipher)
        self.hash = keymath.PHASE1_HASHES.get(transform.attribute(2), self.hash)
        self.method = transform.attribute(3, self.method)
        self.group = transform.attribute(4, self.group)
        sizes = keymath.CIPHERS[self.cipher][1]
        self.key_size = transform.attribute(14, 0) // 8 if len(sizes) > 1 else sizes[0]


class RekeySA:
    """A rekey entry of keys.json, read once."""

    def __init__(self, entry):
        self.cipher = keymath.KEK_CIPHERS.get(entry.get("cipher", 3))
        self.iv, self.key, self.public = (espkeys.octets(entry, name) for name in ("iv", "key", "public_key"))
        self.algorithm, self.ack = entry.get("sig_algorithm", 1), entry.get("ack") or 0
        if self.algorithm in keymath.ECDSA:
            self.hash = keymath.ECDSA[self.algorithm][0]
        else:
            self.hash = keymath.SIG_HASHES.get(entry.get("sig_hash"))
        self.bare = entry.get("sig_form") == "bare-hash"

    @property
    def mark(self):
        return tuple(getattr(self, n) for n in ("cipher", "iv", "key", "public", "hash", "algorithm", "ack", "bare"))

    def verify(self, header, covered, signature):
        """ok, bad, or unchecked without a key or hash."""
        if not self.public or self.hash is None:
            return UNCHECKED
        value = keymath.rekey_digest(self.hash, header, covered)
        result = keymath.verify_signature(self.algorithm, self.hash, self.public, value, signature)
        if result == UNCHECKED or self.algorithm in keymath.ECDSA:
            return result
        return OK if result == ("bare" if self.bare else OK) else BAD


def rekey_sas(entries):
    """spi -> Rekey SAs, one for each key of an SPI."""
    found = {}
    for entry in entries:
        if entry.get("kind") == "rekey" and entry.get("spi"):
            one, have = RekeySA(entry), found.setdefault(entry["spi"], [])
            if all(one.mark != other.mark for other in have):
                have.append(one)
    return found
