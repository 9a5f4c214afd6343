"""The arithmetic of GDOI's keys: PRFs, hashes and groups of Phase 1, ciphers, signatures, acknowledgements."""

import functools
import hashlib
import hmac
import struct

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

OK, BAD, UNCHECKED = "ok", "bad", "unchecked"

# name -> block, lengths of the key
CIPHERS = {"aes": (16, (16, 24, 32)), "des": (8, (8,)), "3des": (8, (24,)), "camellia": (16, (16, 24, 32))}
PHASE1_CIPHERS = {1: "des", 5: "3des", 7: "aes", 8: "camellia"}
KEK_CIPHERS = {1: "des", 2: "3des", 3: "aes"}
PHASE1_HASHES = {1: "md5", 2: "sha1", 4: "sha256", 5: "sha384", 6: "sha512"}
SIG_HASHES = {1: "md5", 2: "sha1", 3: "sha256", 4: "sha384", 5: "sha512"}
ACK_HASHES = {1: ("sha256", 512), 2: ("sha256", 512), 3: ("sha512", 1024), 4: ("sha512", 1024)}

# Authentication methods of Phase 1 that sign: number -> hash of HASH_I and HASH_R, None for the negotiated one
SIGNED = {3: None, 9: "sha256", 10: "sha384", 11: "sha512"}
# signature algorithms of a rekey: number -> hash, octets of r and of s, curve
ECDSA = {4: ("sha256", 32, "secp256r1"), 5: ("sha384", 48, "secp384r1"), 6: ("sha512", 66, "secp521r1")}

# group -> octets of the KE payload, octets of g^xy
GROUPS = {
    1: (96, 96), 2: (128, 128), 5: (192, 192), 14: (256, 256), 15: (384, 384), 16: (512, 512), 17: (768, 768),
    18: (1024, 1024), 19: (64, 32), 20: (96, 48), 21: (132, 66),
}
PRIME_CONSTANTS = {1: 149686, 2: 129093, 5: 741804, 14: 124476, 15: 1690314, 16: 240904, 17: 929484, 18: 4743158}
CURVES = {19: ec.SECP256R1, 20: ec.SECP384R1, 21: ec.SECP521R1}
DIGESTS = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}


def prf(name, key, *parts):
    return hmac.digest(key, b"".join(parts), name)


def digest(name, *parts):
    return hashlib.new(name, b"".join(parts)).digest()


# -- Phase 1

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


@functools.lru_cache(maxsize=None)
def pi_bits(bits):
    """floor(2^bits * pi), by Machin's formula."""
    guard = 64
    one = 1 << (bits + guard)

    def arctan(inverse):
        term = total = one // inverse
        number, sign = 3, -1
        while term:
            term //= inverse * inverse
            total += sign * (term // number)
            number, sign = number + 2, -sign
        return total
    return 4 * (4 * arctan(5) - arctan(239)) >> guard


@functools.lru_cache(maxsize=None)
def modp_prime(group):
    bits = GROUPS[group][0] * 8
    return 2 ** bits - 2 ** (bits - 64) - 1 + 2 ** 64 * (pi_bits(bits - 130) + PRIME_CONSTANTS[group])


def public_value_error(group, value):
    """What is wrong with the body of a KE payload, or None."""
    if group not in GROUPS:
        return None
    size = GROUPS[group][0]
    if len(value) != size:
        return "KE of %d octets, group %d has %d" % (len(value), group, size)
    if group in CURVES:
        half = size // 2
        x, y = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
        try:
            ec.EllipticCurvePublicNumbers(x, y, CURVES[group]()).public_key()
        except ValueError:
            return "KE is no point of the curve of group %d" % group
        return None
    if not 1 < int.from_bytes(value, "big") < modp_prime(group) - 1:
        return "KE is no public value of group %d" % group
    return None


# -- ciphers

def block_size(cipher):
    return CIPHERS[cipher][0]


def cbc(cipher, key, iv, data, encrypt=False):
    if cipher == "aes":
        algorithm = algorithms.AES(key)
    elif cipher == "camellia":
        algorithm = algorithms.Camellia(key)
    else:
        algorithm = algorithms.TripleDES(key * 3 if cipher == "des" else key)
    machine = Cipher(algorithm, modes.CBC(iv))
    run = machine.encryptor() if encrypt else machine.decryptor()
    return run.update(data) + run.finalize()


def three_parts_differ(key):
    """Whether a 3DES key has three different parts; the parity bits are no part of them."""
    parts = {bytes(octet & 0xfe for octet in key[at:at + 8]) for at in (0, 8, 16)}
    return len(key) == 24 and len(parts) == 3


# -- GROUPKEY-PUSH and its acknowledgement

def rekey_digest(name, header, covered):
    """What the SIG payload of a PUSH signs; header with the Length to be hashed."""
    return digest(name, b"rekey", header, covered)


def ack_key(name, base, spi, bits):
    return prf(name, base, b"GROUPKEY-PUSH ACK\0", spi, struct.pack(">H", bits))


# -- signatures

@functools.lru_cache(maxsize=256)
def public_key(octets):
    """The key in a SubjectPublicKeyInfo, a PKCS#1 RSAPublicKey or a certificate; None if it is none of them."""
    try:
        return serialization.load_der_public_key(octets)
    except (ValueError, TypeError):
        pass
    try:
        return x509.load_der_x509_certificate(octets).public_key()
    except (ValueError, TypeError):
        return None


def bare_block(key, signature):
    """The octets that an RSA signature holds behind its padding of type 1, or None."""
    size, numbers = (key.key_size + 7) // 8, key.public_numbers()
    if len(signature) != size:
        return None
    block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(size, "big")
    if block[:2] != b"\0\1":
        return None
    filled, _, rest = block[2:].partition(b"\0")
    return rest if len(filled) >= 8 and not filled.strip(b"\xff") else None


def verify_ecdsa(key, name, half, value, signature):
    if len(signature) != 2 * half:
        return BAD
    der = utils.encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    try:
        key.verify(der, value, ec.ECDSA(utils.Prehashed(DIGESTS[name]())))
        return OK
    except (InvalidSignature, ValueError):
        return BAD


def verify_signature(algorithm, hash_name, public, value, signature):
    """Checks the signature of a rekey over a hash value that is already computed. 'bare' is PKCS#1 without DigestInfo."""
    key = public_key(public)
    if algorithm == 1 and isinstance(key, rsa.RSAPublicKey):
        try:
            key.verify(signature, value, padding.PKCS1v15(), utils.Prehashed(DIGESTS[hash_name]()))
            return OK
        except (InvalidSignature, ValueError):
            return "bare" if bare_block(key, signature) == value else BAD
    if algorithm in ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
        name, half, curve = ECDSA[algorithm]
        return verify_ecdsa(key, name, half, value, signature) if key.curve.name == curve else BAD
    return UNCHECKED


def verify_phase1(method, public, value, signature):
    """Checks SIG_I or SIG_R over HASH_I or HASH_R: RSA over the bare hash, ECDSA over the hash as it is."""
    key = public_key(public)
    if method == 3 and isinstance(key, rsa.RSAPublicKey):
        return OK if bare_block(key, signature) == value else BAD
    if SIGNED.get(method) and isinstance(key, ec.EllipticCurvePublicKey):
        name, half, curve = next(e for e in ECDSA.values() if e[0] == SIGNED[method])
        return verify_ecdsa(key, name, half, value, signature) if key.curve.name == curve else BAD
    return UNCHECKED
