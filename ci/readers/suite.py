"""The algorithms of a made-up conversation, and what its sender does with them: keys, signatures, sealed packets."""

import dataclasses
import datetime
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.x509.oid import NameOID

import espkeys
import keymath

SIGNERS = {}
METHODS = {3: 1, 9: 4, 10: 5, 11: 6}    # authentication method of Phase 1 -> signature algorithm of the same keys


def signer(algorithm):
    """The private key that signs with an algorithm, made when first asked for."""
    if algorithm not in SIGNERS:
        if algorithm == 1:
            SIGNERS[1] = rsa.generate_private_key(65537, 2048)
        else:
            curve = {4: ec.SECP256R1, 5: ec.SECP384R1, 6: ec.SECP521R1}[algorithm]
            SIGNERS[algorithm] = ec.generate_private_key(curve())
    return SIGNERS[algorithm]


def bare_signature(value):
    """RSA over PKCS#1 padding and nothing but the hash value."""
    block = b"\0\1" + b"\xff" * (253 - len(value)) + b"\0" + value
    numbers = signer(1).private_numbers()
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")


def ecdsa_signature(algorithm, name, value):
    """r and s, each as long as the order."""
    made = signer(algorithm).sign(value, ec.ECDSA(utils.Prehashed(keymath.DIGESTS[name]())))
    return b"".join(n.to_bytes(keymath.ECDSA[algorithm][1], "big") for n in utils.decode_dss_signature(made))


@dataclasses.dataclass
class Suite:  # pylint: disable=too-many-instance-attributes
    """Numbers of the registries; lengths of keys in bits."""

    cipher: int = 7         # Phase 1
    bits: int = 128
    hash: int = 4
    group: int = 14
    method: int = 1
    kek: int = 3            # Rekey SA
    kek_bits: int = 128
    sign: int = 1
    sign_hash: int = 3      # 0: the SAK names none
    bare: bool = False
    padded: bool = False    # the Length that is signed counts the padding
    ack: int = 1
    lkh: bool = False
    transform: int = 20     # Data-Security SA
    tek_bits: int = 128
    integrity: int = 0
    esn: bool = False
    mode: int = 1
    sid_bits: int = 12

    @property
    def phase1_cipher(self):
        return keymath.PHASE1_CIPHERS[self.cipher]

    @property
    def phase1_hash(self):
        return keymath.PHASE1_HASHES[self.hash]

    @property
    def phase1_key_size(self):
        sizes = keymath.CIPHERS[self.phase1_cipher][1]
        return self.bits // 8 if len(sizes) > 1 else sizes[0]

    @property
    def kek_cipher(self):
        return keymath.KEK_CIPHERS[self.kek]

    def kek_sizes(self):
        """Octets of the IV and of the key of a KEK."""
        block, sizes = keymath.CIPHERS[self.kek_cipher]
        return block, self.kek_bits // 8 if len(sizes) > 1 else sizes[0]

    def tek_sizes(self):
        """Octets of TEK_ALGORITHM_KEY and TEK_INTEGRITY_KEY."""
        row = espkeys.TRANSFORMS[self.transform]
        cipher = (self.tek_bits // 8 if row.needs_key_length else row.keys[0]) + row.salt
        return cipher, 0 if row.combined else espkeys.INTEGRITY[self.integrity][1]

    # -- Diffie-Hellman

    def exchange(self, rng):
        """KE bodies of both sides and g^xy. Those of MODP groups are random numbers of the right length."""
        size, shared = keymath.GROUPS[self.group]
        if self.group not in keymath.CURVES:
            return tuple(b"\x7f" + rng.randbytes(n - 1) for n in (size, size, shared))
        curve = keymath.CURVES[self.group]()
        one, two = (ec.derive_private_key(rng.getrandbits(200) + 1, curve) for _ in range(2))
        return self.point(one, size), self.point(two, size), one.exchange(ec.ECDH(), two.public_key())

    @staticmethod
    def point(private, size):
        numbers = private.public_key().public_numbers()
        return numbers.x.to_bytes(size // 2, "big") + numbers.y.to_bytes(size // 2, "big")

    # -- signatures of Phase 1

    @property
    def method_hash(self):
        """The hash of the HASH_I and HASH_R that are signed."""
        return keymath.SIGNED[self.method] or self.phase1_hash

    def certificate(self):
        """A CERT body with a certificate of the key that signs in Phase 1."""
        key, name = signer(METHODS[self.method]), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
        begin = datetime.datetime(2026, 1, 1)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1) \
            .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
        return b"\4" + made.public_bytes(serialization.Encoding.DER)

    def phase1_signature(self, value):
        """SIG_I or SIG_R over HASH_I or HASH_R."""
        algorithm = METHODS[self.method]
        return bare_signature(value) if algorithm == 1 else ecdsa_signature(algorithm, self.method_hash, value)

    # -- signatures of rekeys

    @property
    def signer(self):
        return signer(self.sign)

    @property
    def public(self):
        return self.signer.public_key().public_bytes(serialization.Encoding.DER,
                                                     serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def signature_hash(self):
        return keymath.ECDSA[self.sign][0] if self.sign in keymath.ECDSA else keymath.SIG_HASHES[self.sign_hash]

    @property
    def signature_size(self):
        return 2 * keymath.ECDSA[self.sign][1] if self.sign in keymath.ECDSA else 256

    def signature(self, value):
        """Signs a hash value."""
        if self.sign in keymath.ECDSA:
            return ecdsa_signature(self.sign, self.signature_hash, value)
        if self.bare:
            return bare_signature(value)
        return self.signer.sign(value, padding.PKCS1v15(), utils.Prehashed(keymath.DIGESTS[self.signature_hash]()))

    # -- ESP

    def seal(self, spi, number, iv, key, auth, inner, following=4):  # pylint: disable=too-many-arguments
        """An ESP packet with a sequence number of 64 bits, of which the lower half is sent."""
        row = espkeys.TRANSFORMS[self.transform]
        pad = -(len(inner) + 2) % max(4, row.block)
        plain = inner + bytes(range(1, pad + 1)) + bytes([pad, following])
        head, high = spi + struct.pack(">I", number & 0xffffffff), struct.pack(">I", number >> 32) if self.esn else b""
        aad = spi + high + head[4:]
        if row.mode == "ccm":
            return head + iv + AESCCM(key[:-3], tag_length=row.icv).encrypt(key[-3:] + iv, plain, aad)
        if row.mode == "gcm":
            # a shorter ICV is the beginning of the long one
            sealed = AESGCM(key[:-4]).encrypt(key[-4:] + iv, plain, aad)
            return head + iv + sealed[:len(sealed) - 16 + row.icv]
        if row.mode == "gmac":
            return head + iv + plain + AESGCM(key[:-4]).encrypt(key[-4:] + iv, b"", aad + iv + plain)
        if row.mode == "ctr":
            machine = Cipher(algorithms.AES(key[:-4]), modes.CTR(key[-4:] + iv + bytes(3) + b"\1")).encryptor()
            plain = machine.update(plain) + machine.finalize()
        elif row.mode != "null":
            plain = keymath.cbc(row.mode, key, iv, plain, True)
        return head + iv + plain + espkeys.mac(self.integrity, auth, head + iv + plain + high)


# What groups use; the harness reads all of it.
PHASE1 = [(7, 128), (7, 192), (7, 256), (5, 0)]
REKEYS = [(1, n) for n in (2, 3, 4, 5)] + [(4, 3), (5, 4), (6, 5), (4, 0), (5, 0), (6, 0)]
TRANSFORMS = [(3, 0, 2), (11, 0, 5), (12, 128, 5), (12, 256, 7), (12, 192, 6), (20, 128, 0), (20, 256, 0), (18, 192, 0),
              (19, 128, 0), (23, 128, 0), (23, 256, 0)]


def any_suite(rng):
    """A suite by the dice."""
    cipher, bits = rng.choice(PHASE1)
    kek, kek_bits = rng.choice(((3, 128), (3, 192), (3, 256), (2, 0)))
    sign, sign_hash = rng.choice(REKEYS)
    transform, tek_bits, integrity = rng.choice(TRANSFORMS)
    lkh = rng.random() < 0.4 and kek_bits != 192
    return Suite(cipher, bits, rng.choice((1, 2, 4, 5, 6)), rng.choice((1, 2, 5, 14, 15, 16, 19, 20, 21)), 1,
                 kek, kek_bits, sign, sign_hash, sign == 1 and rng.random() < 0.3, rng.random() < 0.3,
                 rng.choice((2, 4)) if lkh else rng.choice((1, 3)), lkh, transform, tek_bits, integrity,
                 rng.random() < 0.3, rng.choice((1, 1, 2)), rng.choice((8, 12, 16)))
