"""What a message has to hold by the digest, and whether its keys fit its policy.

A breach is text: what a message says or carries that its form allows and the protocol does not. A sender that breaks
rules on purpose has breaches too; who reads the list decides what they mean.
"""

import ipaddress

import keymath
from espkeys import AH_KEYS, INTEGRITY, TRANSFORMS
from isakmp import (AGGRESSIVE, D, DENY, GAP, ID, IDENTITY_PROTECTION, KD, KE, NONCE, PULL, PUSH, PUSH_ACK, SA, SAK, SAT, SEQ, SIG,
                    number_of)

ESP, AH, IEC_61850 = 1, 2, 3
AH_ALGORITHMS = {2: 1, 3: 2, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 11: 11, 12: 12, 13: 13}
LATER = ("direction",)      # fields that the first files of keys do not have
AES_BITS = (128, 192, 256)


def breaches(msg):
    """Everything that a message breaks by itself."""
    reader = {IDENTITY_PROTECTION: phase1, AGGRESSIVE: phase1, PULL: pull, PUSH: push, PUSH_ACK: acknowledgement}.get(msg.header["exchange"])
    if reader is None:
        return []
    out = list(reader(msg))
    for node in msg.payloads:
        if node.number == SA and msg.header["exchange"] not in (IDENTITY_PROTECTION, AGGRESSIVE):
            out += group_sa(node, msg.header["exchange"])
        elif node.number == KD:
            out += key_download(node, msg.header["exchange"])
    return out


# -- Phase 1

def phase1(msg):
    if msg.header["message_id"]:
        yield "Phase 1 with a Message ID"
    of_ipsec = msg.packet is not None and 500 in (msg.packet.sport, msg.packet.dport)  # there daemons of others have the DOI of IPsec
    for node in msg.payloads:
        if node.number == SA:
            yield from offer(node, of_ipsec)
        elif node.number == NONCE and not 8 <= node.length - 4 <= 256:
            yield "nonce of %d octets in Phase 1" % (node.length - 4)


def offer(sa, of_ipsec=False):
    if (sa.get("DOI"), sa.get("Situation")) not in ([(2, 0), (1, 1)] if of_ipsec else [(2, 0)]):
        yield "Phase 1 SA with DOI %s and Situation %s" % (sa.get("DOI"), sa.get("Situation"))
    for transform in transforms(sa):
        missing = [n for n in (1, 2, 3, 4) if transform.attribute(n) is None]
        if missing:
            yield "transform %d without attributes %s" % (transform.get("Number"), missing)
        cipher, bits = transform.attribute(1), transform.attribute(14)
        if cipher in (7, 8) and bits not in AES_BITS:
            yield "Key Length %s with cipher %d" % (bits, cipher)
        if cipher in (1, 5) and bits is not None:
            yield "Key Length %d with cipher %d" % (bits, cipher)


def transforms(sa):
    return [t for p in sa.kids if p.name == "P" for t in p.kids if t.name == "T"]


def attributes(node):
    """What a payload's attributes say, for comparing."""
    return [(k.number, k.value) for k in node.kids if k.kind == "attribute"]


def answer(offered, answered):
    """Breaches of message 2: one proposal, one transform, attributes as one of message 1 has them."""
    chosen = transforms(answered)
    if len(chosen) != 1 or len([k for k in answered.kids if k.name == "P"]) != 1:
        yield "message 2 with %d transforms" % len(chosen)
    elif offered and all(attributes(chosen[0]) != attributes(t) for sa in offered for t in transforms(sa)):
        yield "message 2 chooses what message 1 does not offer"


def key_exchange(msg, group):
    node = msg.payload(KE)
    wrong = node is not None and node.fits and keymath.public_value_error(group, msg.body(KE))
    return [wrong] if wrong else []


# -- GROUPKEY-PULL, -PUSH, -PUSH-ACK

def pull(msg):
    if not msg.header["message_id"]:
        yield "PULL without a Message ID"
    if msg.header["flags"] != 1:
        yield "PULL with flags %d" % msg.header["flags"]
    for node in msg.payloads:
        if node.number == NONCE and not 8 <= node.length - 4 <= 128:
            yield "nonce of %d octets in a PULL" % (node.length - 4)
        elif node.number == ID and (node.get("Protocol") or node.get("Port")):
            yield "ID of a PULL with protocol or port"
        elif node.number == GAP:
            yield from gap(node, (3,))


def push(msg):
    head = msg.header
    if head["flags"] != 1 or head["message_id"] or head["version"] != 0x10:
        yield "PUSH with flags %d, Message ID %d, version %#x" % (head["flags"], head["message_id"], head["version"])
    kinds = [p.number for p in msg.payloads]
    if kinds[:1] != [SEQ] or kinds[-1:] != [SIG] or kinds[1:-1] not in (
            [D] * kinds.count(D), [D] * kinds.count(D) + [SA, KD]):
        yield "PUSH with payloads %s" % kinds
    for node in msg.payloads:
        if node.number == D:
            yield from deletion(node)


def deletion(node):
    size = {0: (16, 4), ESP: (4,), AH: (4,), IEC_61850: (4,)}.get(node.get("Protocol"), ())
    if node.get("DOI") != 2 or node.get("SPI Size") not in size:
        yield "Delete in a PUSH with DOI %s, protocol %s and SPIs of %s octets" % (
            node.get("DOI"), node.get("Protocol"), node.get("SPI Size"))
    if not node.get("SPIs"):
        yield "Delete without SPIs"


def acknowledgement(msg):
    head, ident = msg.header, msg.payload(ID)
    if head["flags"] or head["message_id"] or head["version"] != 0x10:
        yield "PUSH-ACK with flags %d, Message ID %d, version %#x" % (head["flags"], head["message_id"], head["version"])
    if ident and (ident.get("ID Type") not in (1, 5, 13) or ident.get("Protocol") or ident.get("Port")):
        yield "ID of a PUSH-ACK with type %s, protocol %s, port %s" % (
            ident.get("ID Type"), ident.get("Protocol"), ident.get("Port"))


# -- policy

def group_sa(sa, exchange):
    kinds = [k.number for k in sa.kids if k.kind == "payload"]
    if sa.get("DOI") != 2 or sa.get("Situation") != 0:
        yield "SA with DOI %s and Situation %s" % (sa.get("DOI"), sa.get("Situation"))
    if kinds != sorted(kinds, key=[SAK, GAP, SAT].index) or kinds.count(SAK) > 1 or kinds.count(GAP) > 1 or \
            not {SAK, SAT} & set(kinds):
        yield "SA with payloads %s" % kinds
    for node in sa.kids:
        if node.number == SAK:
            yield from sak(node, exchange)
        elif node.number == SAT and node.kind == "payload":
            yield from sat(node)
        elif node.number == GAP:
            yield from gap(node, (1, 2))


def gap(node, allowed):
    for kid in node.kids:
        if kid.number not in allowed:
            yield "GAP with %s" % kid.name


def sak(node, exchange):
    cipher, bits = node.attribute(2), node.attribute(3)
    if cipher not in keymath.KEK_CIPHERS:
        yield "SAK with cipher %s" % cipher
    if cipher == 3 and bits not in AES_BITS or cipher == 2 and bits not in (None, 192) or \
            cipher == 1 and bits not in (None, 64):
        yield "SAK with cipher %d and a key of %s bits" % (cipher, bits)
    signs, hashed = node.attribute(6), node.attribute(5)
    if signs not in range(1, 7):
        yield "SAK with signature algorithm %s" % signs
    if signs in (1, 2, 3) and hashed not in keymath.SIG_HASHES or \
            signs in keymath.ECDSA and hashed not in (None, {4: 3, 5: 4, 6: 5}[signs]):
        yield "SAK with signature algorithm %d and hash %s" % (signs, hashed)
    if node.attribute(9) not in (None, 1, 2, 3, 4):
        yield "SAK asks for acknowledgement %d" % node.attribute(9)
    if exchange == PULL and node.attribute(1) is not None:
        yield "KEK_MANAGEMENT_ALGORITHM in a PULL"
    yield from unknown(node)


def sat(node):
    if node.get("Protocol-ID") == DENY:
        return
    reader = {ESP: sat_esp, AH: sat_ah, IEC_61850: sat_61850}.get(node.get("Protocol-ID"))
    if reader is None:
        yield "SAT of protocol %s" % node.get("Protocol-ID")
        return
    yield from reader(node)
    if int.from_bytes(node.get("SPI"), "big") < 256:
        yield "SAT with the reserved SPI %s" % node.get("SPI").hex()
    yield from unknown(node)


def sat_esp(node):
    kind, number = TRANSFORMS.get(node.get("Transform ID")), node.get("Transform ID")
    bits, integrity = node.attribute(6), node.attribute(5)
    if kind is None:
        yield "SAT with transform %s" % number
        return
    if kind.needs_key_length and bits not in AES_BITS or not kind.needs_key_length and bits is not None:
        yield "%s with a key of %s bits" % (kind.name, bits)
    if kind.combined and integrity is not None or not kind.combined and integrity not in INTEGRITY:
        yield "%s with integrity algorithm %s" % (kind.name, integrity)
    yield from sat_values(node)


def sat_ah(node):
    number = node.get("Transform ID")
    if AH_ALGORITHMS.get(number) != node.attribute(5):
        yield "AH transform %s with integrity algorithm %s" % (number, node.attribute(5))
    yield from sat_values(node)


def sat_values(node):
    """Attributes that ESP and AH have in common."""
    for number, low, high in ((1, 1, 2), (4, 1, 4), (10, 1, 2), (11, 1, 1), (14, 1, 4), (15, 1, 3)):
        value = node.attribute(number)
        if value is not None and not low <= value <= high:
            yield "SAT attribute %d is %d" % (number, value)
    kinds = [k.number for k in node.kids if k.kind == "attribute"]
    for at, number in enumerate(kinds):
        if number == 1 and kinds[at + 1:at + 2] != [2] or number == 2 and (at == 0 or kinds[at - 1] != 1):
            yield "SA Life Type and SA Life Duration do not stand together"


def sat_61850(node):
    if node.get("Auth Alg") not in range(1, 6) or node.get("Enc Alg") not in range(1, 6):
        yield "SAT of IEC 61850 with algorithms %s and %s" % (node.get("Auth Alg"), node.get("Enc Alg"))
    if node.attribute(2) is not None and node.attribute(2) > 100:
        yield "SA_KDA is %d" % node.attribute(2)


def unknown(node):
    for kid in node.kids:
        if kid.kind == "attribute" and kid.name.startswith("attribute "):
            yield "%s with %s" % (node.name, kid.name)


# -- keys

def key_download(kd, exchange):
    packets = [k for k in kd.kids if k.kind == "packet"]
    for kind, name in ((2, "KEK"), (3, "LKH")):
        if sum(p.number == kind for p in packets) > 1:
            yield "KD with more than one %s packet" % name
    for one in packets:
        size = {1: 4, 2: 16, 3: 16, 4: 0}.get(one.number)
        if size is None:
            yield "key packet of type %d" % one.number
        elif len(one.get("SPI") or b"") != size:
            yield "%s with an SPI of %d octets" % (one.name, len(one.get("SPI") or b""))
        if one.number == 4:
            yield from sender_ids(one, exchange)
        if exchange == PUSH and one.attribute(1) is not None and one.number == 3:
            yield "LKH download array in a PUSH"
        yield from unknown(one)


def sender_ids(one, exchange):
    if exchange == PUSH:
        yield "SID packet in a PUSH"
    bits = one.attribute(1)
    if not bits or bits > 64:
        yield "NUMBER_OF_SID_BITS is %s" % bits
        return
    for kid in one.kids:
        if kid.kind == "attribute" and kid.number == 2:
            value = number_of(kid.value)
            if value >> bits or isinstance(kid.value, bytes) and not 1 <= len(kid.value) <= 4:
                yield "SID_VALUE %d of %d bits" % (value, bits)


def keys_fit(sa, kd):
    """Breaches between the policy and the keys that came for it."""
    packets = [k for k in kd.kids if k.kind == "packet"]
    sats = [k for k in sa.kids if k.kind == "payload" and k.number == SAT and k.get("Protocol-ID") != DENY]
    kek = sa.find("SAK")
    teks = {p.get("SPI"): p for p in packets if p.number == 1}
    for node in sats:       # several may share an SA, each with other selectors
        packet = teks.get(node.get("SPI"))
        if packet is not None:
            yield from traffic_keys_fit(node, packet)
        elif any(p.number == 1 for p in packets):
            yield "no key for the SAT of SPI %s" % (node.get("SPI") or b"").hex()
    for spi in set(teks) - {node.get("SPI") for node in sats}:
        yield "key for SPI %s, which no SAT has" % (spi or b"").hex()
    rekeys = [p for p in packets if p.number in (2, 3)]
    if kek is not None and not rekeys:
        yield "no key for the SAK"
    for packet in rekeys if kek is not None else []:
        yield from rekey_keys_fit(kek, packet)


def lengths(packet):
    return {k.number: k.value for k in packet.kids if k.kind == "attribute"}


def traffic_keys_fit(node, packet):
    """A TEK packet has the keys that its SAT calls for, of the lengths that it says."""
    keys, proto, spi = lengths(packet), node.get("Protocol-ID"), node.get("SPI").hex()
    cipher = integrity = 0
    if proto == ESP:
        kind = TRANSFORMS.get(node.get("Transform ID"))
        if kind is None:
            return
        cipher = (node.attribute(6, 0) // 8 if kind.needs_key_length else kind.keys[0]) + kind.salt
        integrity = 0 if kind.combined else INTEGRITY.get(node.attribute(5), (None, 0, 0))[1]
        if kind.mode == "3des" and not keymath.three_parts_differ(keys.get(1) or b""):
            yield "3DES key of SPI %s repeats itself" % spi
    elif proto == AH:
        integrity = AH_KEYS.get(node.attribute(5), 0)
    else:
        return
    for number, want, name in ((1, cipher, "TEK_ALGORITHM_KEY"), (2, integrity, "TEK_INTEGRITY_KEY")):
        got = keys.get(number)
        size = len(got) if isinstance(got, bytes) else 2 if got is not None else 0
        if size != want:
            yield "%s of %d octets for SPI %s, which needs %d" % (name, size, spi, want)


def rekey_size(kek):
    """Octets of IV and of key that a SAK calls for, or None."""
    cipher = keymath.KEK_CIPHERS.get(kek.attribute(2))
    if cipher is None:
        return None
    block, sizes = keymath.CIPHERS[cipher]
    return block, (kek.attribute(3, 0) // 8 if cipher == "aes" else sizes[0])


def rekey_keys_fit(kek, packet):
    size = rekey_size(kek)
    if packet.get("SPI") != kek.get("SPI"):
        yield "%s has not the SPI of the SAK" % packet.name
    if size is None:
        return
    if packet.number == 2:
        yield from one_kek_fits(kek, size, lengths(packet).get(1), "KEK_ALGORITHM_KEY")
    for array in packet.kids if packet.number == 3 else []:
        for key in array.kids:
            if key.kind == "lkhkey":
                if key.get("Key Type") != kek.attribute(2):
                    yield "LKH key of type %s, SAK with cipher %s" % (key.get("Key Type"), kek.attribute(2))
                # the keys of an update array are encrypted: they have a length, but no parts to compare
                yield from one_kek_fits(kek, size, key.get("Key Data"), "LKH key", array.number == 1)


def one_kek_fits(kek, size, value, name, clear=True):
    got = len(value) if isinstance(value, bytes) else 0
    if got != sum(size):
        yield "%s of %d octets, the SAK calls for %d and %d" % (name, got, *size)
    elif clear and kek.attribute(2) == 2 and not keymath.three_parts_differ(value[size[0]:]):
        yield "3DES key in %s repeats itself" % name


# -- the entries of keys.json against what the wire says

def rekey_entry(kek, packet):
    """What keys.json has to say of a Rekey SA."""
    size, value = rekey_size(kek), lengths(packet).get(1)
    if size is None or packet.number != 2 or not isinstance(value, bytes):
        return None
    want = {"iv": value[:size[0]].hex(), "key": value[size[0]:].hex(), "cipher": kek.attribute(2),
            "sig_algorithm": kek.attribute(6)}
    if kek.attribute(9) in (1, 3):
        want["ack"] = kek.attribute(9)
    if kek.attribute(2) == 3:
        want["key_bits"] = kek.attribute(3)
    if kek.attribute(6) == 1:
        want["sig_hash"] = kek.attribute(5)
    public = lengths(packet).get(2)
    if isinstance(public, bytes):
        want["public_key"] = public.hex()
    return want


def traffic_entry(node, packet):
    """What keys.json has to say of a Data-Security SA of ESP."""
    if node.get("Protocol-ID") != ESP:
        return None
    keys, source, destination = lengths(packet), node.find("Source"), node.find("Destination")
    want = {"cipher": node.get("Transform ID"), "integrity": node.attribute(5, 0), "esn": node.attribute(11, 0) == 1,
            "mode": node.attribute(4), "key_bits": node.attribute(6, 0)}
    for number, name in ((15, "direction"), (14, "preservation")):
        if node.attribute(number) is not None:
            want[name] = node.attribute(number)
    for number, name in ((1, "cipher_key"), (2, "integrity_key")):
        want[name] = keys[number].hex() if isinstance(keys.get(number), bytes) else ""
    want.update(protocol=node.get("Protocol"), source_port=source.get("Port"), destination_port=destination.get("Port"))
    want.update((name, text) for name, text in (("source", prefix(source)), ("destination", prefix(destination))) if text)
    if want["mode"] not in (1, 3):
        want.pop("preservation", None)  # means something in tunnel mode only
    return want


def prefix(spot):
    """The prefix that an endpoint of a SAT names, or None if it names something else."""
    kind, data = spot.get("ID Type"), spot.get("Data")
    try:
        if kind in (1, 5):
            return str(ipaddress.ip_network(data))
        half = len(data) // 2
        bits = bin(int.from_bytes(data[half:], "big")).count("1")
        if kind in (4, 6) and int.from_bytes(data[half:], "big") == (1 << half * 8) - (1 << half * 8 - bits):
            return str(ipaddress.ip_network((data[:half], bits)))
    except ValueError:
        pass
    return None


def differ(entry, want):
    """The fields in which an entry does not say what the wire says."""
    return ["%s is %s, on the wire %s" % (name, entry.get(name), value) for name, value in want.items()
            if (entry.get(name) or type(value)()) != value and (name in entry or name not in LATER)]
