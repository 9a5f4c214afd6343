"""A second decoder of GDOI over IKEv1: messages, keys, IV chains, HASH and SIG checks.

It shares nothing with the decoder of the harness. Offsets count from the start of the ISAKMP header; those of an
encrypted message are offsets in the message after decryption. No input makes it raise: what cannot be read ends up in
Message.error.
"""

import hmac
import itertools
import struct

import associations
import capfile
import espkeys
import isakmp
import keymath
import lkh
import policy
from isakmp import (AGGRESSIVE, CERT, HEADER, ID, IDENTITY_PROTECTION, INFORMATIONAL, KD, KE, HASH, NONCE, PULL, PUSH, PUSH_ACK, SA,
                    SAT, SEQ, SIG)
from keymath import BAD, OK, UNCHECKED

NAT_D = 20


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
        self.details = []   # of checks: which fields are not as they should be
        self.breaches = []  # what it holds against the protocol although its form is right
        self.encrypted = self.decrypted = False
        self.repeats = 0
        self.src = self.dst = None
        self.link = None
        self.comments = []
        self.packet = None
        self.plain = None   # the message after decryption, header included
        self.end = 0        # where the last payload ends in it
        self.inner = None   # of ESP
        self.headers = 0    # octets between ESP and that

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
# Conversations

class Reader:
    """Reads the frames of one capture in order, with the entries of a keys.json."""

    def __init__(self, keys=None):
        self.keys = keys or {}
        self.entries = [e for e in self.keys.get("entries", []) if isinstance(e, dict)]
        self.traffic, self.rekeys = espkeys.associations(self.entries), associations.rekey_sas(self.entries)
        self.logged = {}        # (kind, spi) -> entries
        for entry in self.entries:
            self.logged.setdefault((entry.get("kind"), entry.get("spi")), []).append(entry)
        self.phase1_entries = {(e.get("cookie_i"), e.get("cookie_r")): e for e in reversed(self.entries)
                               if e.get("kind") == "phase1"}
        self.ivs = espkeys.UsedIVs(self.entries)
        self.initiators = {}    # cookie_i -> addresses that sent a message 1
        self.offers = {}        # cookie_i -> bodies and nodes of SA payloads of message 1
        self.early = {}         # cookie_i -> (KE, NONCE, ID) bodies of messages 1 of Aggressive Mode
        self.phase1 = {}        # (cookie_i, cookie_r) -> Phase1
        self.repeats = {}
        self.done = {}
        self.lkh = lkh.Tree()
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
                msg.payloads = isakmp.ip_nodes(pkt.raw, 0)
                return msg
            msg.packet = pkt = whole
        if pkt.proto == 50:
            self.remember(msg, pkt.src, pkt.dst, pkt.payload)
            self.esp(msg, pkt.payload, pkt.payload_at)
            return msg
        if pkt.udp is not None and 4500 in (pkt.sport, pkt.dport):
            if pkt.udp[:4] == b"\0\0\0\0":
                return self.isakmp(msg, pkt, pkt.udp[4:])
            if pkt.udp == b"\xff":
                msg.kind = "KEEPALIVE"
                return msg
            if len(pkt.udp) >= 4:
                self.remember(msg, pkt.src, pkt.dst, pkt.udp)
                self.esp(msg, pkt.udp, pkt.udp_at)
                return msg
        elif pkt.udp is not None and {500, 848} & {pkt.sport, pkt.dport}:
            data = pkt.udp
            if data[:4] == b"\0\0\0\0" and len(data) >= 4 + HEADER and data[21] == 0x10 != data[17]:
                data = data[4:]     # a marker where it has no place
            return self.isakmp(msg, pkt, data)
        msg.kind = "clear"
        msg.payloads = isakmp.ip_nodes(pkt.raw, 0)
        return msg

    def remember(self, msg, src, dst, data, header=8):
        """Notes which frame had the same before. What is shorter than a header is nothing that could be repeated."""
        if len(data) < header:
            return
        key = (msg.link, src, dst, bytes(data))
        msg.repeats = self.repeats.setdefault(key, msg.number)
        if msg.repeats == msg.number:
            msg.repeats = 0

    def isakmp(self, msg, pkt, data):
        src, dst = "%s:%d" % (pkt.src, pkt.sport), "%s:%d" % (pkt.dst, pkt.dport)
        if pkt.version == 6:
            src, dst = "[%s]:%d" % (pkt.src, pkt.sport), "[%s]:%d" % (pkt.dst, pkt.dport)
        msg.src, msg.dst = src, dst
        self.remember(msg, src, dst, data, HEADER)
        if msg.repeats and msg.repeats in self.done:
            old = self.done[msg.repeats]
            for name in ("kind", "header", "payloads", "checks", "error", "remarks", "encrypted", "decrypted", "plain", "end"):
                setattr(msg, name, getattr(old, name))
            return msg
        try:
            self.message(msg, data, pkt.src)
        except Exception as err:  # pylint: disable=broad-except
            msg.error = "decoder failed: %s: %s" % (type(err).__name__, err)
        self.lkh.see(msg.payloads)
        if capfile.checksum_ok(pkt) is False:
            msg.breaches.append("UDP checksum over IPv%d" % pkt.version)
        self.done[msg.number] = msg
        return msg

    # -- messages

    def message(self, msg, data, sender=None):
        """Reads the octets of an ISAKMP message into msg."""
        msg.header = head = isakmp.parse_header(data)
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
        if isakmp.is_ikev2(head):
            msg.kind = "IKEv2"
            msg.payloads, msg.encrypted, msg.error = isakmp.ikev2_chain(data, head)
            msg.error = cut or msg.error
            return msg
        reader = {IDENTITY_PROTECTION: self.main_mode, AGGRESSIVE: self.aggressive, INFORMATIONAL: self.informational, PULL: self.pull,
                  PUSH: self.push, PUSH_ACK: self.ack}.get(exchange)
        if reader is None:
            msg.kind = "unknown"
            if not msg.encrypted:
                msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
        else:
            reader(msg, data, sender)
        if cut:
            msg.error = cut
        return msg

    def sa_of(self, head):
        pair = head["initiator_cookie"], head["responder_cookie"]
        known = self.phase1.get(pair)
        if known is None:
            known = associations.Phase1(*(bytes.fromhex(cookie) for cookie in pair))
            entry = self.phase1_entries.get(pair)
            if entry is not None:
                known.load(entry)
            elif not self.phase1_entries and pair[1] == "00" * 8:
                return known
            self.phase1[pair] = known
        return known

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
        return (following in isakmp.PAYLOADS or following == 0) + (reserved == 0) + (4 <= length <= end - HEADER)

    def open(self, msg, data, cipher, key, ivs):
        """Decrypts with the first of the IVs that gives a whole chain of payloads, else with the most plausible one."""
        size = keymath.block_size(cipher)
        body = data[HEADER:]
        if len(key or b"") not in keymath.CIPHERS[cipher][1]:
            return False
        if not body or len(body) % size:
            msg.error = "ciphertext of %d octets" % len(body)
            return False
        best = None
        for iv in ivs:
            if iv is None or len(iv) != size:
                continue
            plain = data[:HEADER] + keymath.cbc(cipher, key, iv, body)
            nodes, end, error, remarks = isakmp.parse_payloads(plain, size)
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
        ci = head["initiator_cookie"]
        if head["responder_cookie"] == "00" * 8:
            # the first message is in clear, whatever its flags say
            msg.kind = "MM1"
            msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
            if sender is not None:
                self.initiators.setdefault(ci, set()).add(sender)
            if msg.payload(SA) and not msg.error:
                self.offers.setdefault(ci, []).append((msg.body(SA), msg.payload(SA)))
        elif msg.encrypted:
            self.authentication(msg, data, self.sa_of(head), self.role(msg, sender))
        else:
            msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
            self.in_clear(msg, self.sa_of(head), self.role(msg, sender))
        if msg.error is None and not msg.remarks and BAD not in msg.checks.values():
            msg.breaches += policy.breaches(msg)

    def in_clear(self, msg, known, role):
        """Messages 2, 3 and 4."""
        ci, kinds = msg.header["initiator_cookie"], {p.number for p in msg.payloads}
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
        for kind, spot in ((KE, known.kes), (NONCE, known.nonces)):
            if msg.payload(kind) and msg.payload(kind).fits:
                spot[side].insert(0, msg.body(kind))
        if msg.error is None:
            msg.breaches += policy.key_exchange(msg, known.group)
            self.check_nat(known, msg)

    def choose(self, known, msg):
        sa = msg.payload(SA)
        if msg.error or sa is None:
            return
        chosen = policy.transforms(sa)
        if chosen:
            known.choose(chosen[0])
        offered = [node for _, node in self.offers.get(msg.header["initiator_cookie"], [])]
        msg.breaches += policy.answer(offered, sa)

    @staticmethod
    def check_nat(known, msg):
        """The first NAT-D is that of the other end, one of the rest that of the sender; else there is a NAT between them."""
        given = [msg.octets(node)[4:] for node in msg.payloads if node.number == NAT_D and node.fits]
        if not given or msg.packet is None:
            return
        ends = [keymath.nat_d(known.hash, known.ci, known.cr, capfile.octets(address), port) for address, port in (
            (msg.packet.dst, msg.packet.dport), (msg.packet.src, msg.packet.sport))]
        msg.checks["NAT-D"] = OK if given[0] == ends[0] and ends[1] in given[1:] else BAD

    def authentication(self, msg, data, known, role):
        """Messages 5 and 6."""
        msg.kind = "MM6" if role == "r" else "MM5"
        name = "HASH_R" if role == "r" else "HASH_I"
        msg.checks[name] = UNCHECKED
        ivs = known.blocks + [known.first_iv] if role == "r" else [known.first_iv] + known.blocks
        size = keymath.block_size(known.cipher)
        if not self.open(msg, data, known.cipher, known.key, ivs):
            known.blocks.append(data[-size:])
            return
        if msg.payload(HASH) and msg.payload(ID) and msg.payload(ID).fits:
            values = self.phase1_hashes(known, role, msg.body(ID), known.hash)
            msg.checks[name] = UNCHECKED if not values else OK if msg.body(HASH) in values else BAD
            self.check_keys(known, msg)
        elif msg.payload(SIG) and msg.payload(ID):
            del msg.checks[name]
            name = "SIG_R" if role == "r" else "SIG_I"
            msg.checks[name] = UNCHECKED
            self.check_phase1_signature(known, role, msg)
            self.check_keys(known, msg)
        elif not msg.error:
            msg.checks[name] = BAD
        if msg.error is None and msg.checks[name] != BAD:
            known.blocks.insert(0, data[-size:])
        else:
            known.blocks.append(data[-size:])

    def aggressive(self, msg, data, sender):
        """Aggressive Mode: SA, KE, nonce, ID; SA, KE, nonce, ID and the proof; the proof, encrypted or not."""
        head = msg.header
        ci, first = head["initiator_cookie"], head["responder_cookie"] == "00" * 8
        msg.kind = "AM1" if first else "AM2" if head["next_payload"] == SA and not msg.encrypted else "AM3"
        if first or msg.kind == "AM2" or not msg.encrypted:
            msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
        if first:
            if sender is not None:
                self.initiators.setdefault(ci, set()).add(sender)
            if not msg.error and msg.payload(SA):
                self.offers.setdefault(ci, []).append((msg.body(SA), msg.payload(SA)))
                self.early.setdefault(ci, []).append((msg.body(KE), msg.body(NONCE), msg.body(ID)))
        else:
            self.aggressive_proof(msg, data, self.sa_of(head))
        if msg.error is None and not msg.remarks and BAD not in msg.checks.values():
            msg.breaches += policy.breaches(msg)

    def aggressive_proof(self, msg, data, known):
        """Messages 2 and 3. The initiator's public value and identity are those of message 1."""
        role = "r" if msg.kind == "AM2" else "i"
        name = "HASH_R" if role == "r" else "HASH_I"
        early = self.early.get(msg.header["initiator_cookie"], [])
        known.kes["i"] = [ke for ke, _, _ in early if ke]
        known.nonces["i"] = [nonce for _, nonce, _ in early if nonce]
        msg.checks[name] = UNCHECKED
        if role == "r":
            if msg.packet is not None:
                self.initiators.setdefault(msg.header["initiator_cookie"], {msg.packet.dst})
            self.choose(known, msg)
            for kind, spot in ((KE, known.kes), (NONCE, known.nonces)):
                if msg.payload(kind) and msg.payload(kind).fits:
                    spot["r"].insert(0, msg.body(kind))
        elif msg.encrypted:
            opened = self.open(msg, data, known.cipher, known.key, [known.first_iv])
            known.blocks.insert(0, data[-keymath.block_size(known.cipher):])
            if not opened:
                return
        idents = [ident for ident in ([msg.body(ID)] if role == "r" else [ident for _, _, ident in early]) if ident]
        values = [value for ident in idents for value in self.phase1_hashes(known, role, ident, known.hash)]
        if msg.payload(HASH):
            msg.checks[name] = UNCHECKED if not values else OK if msg.body(HASH) in values else BAD
            self.check_keys(known, msg)
        elif msg.payload(SIG):
            del msg.checks[name]
            self.check_phase1_signature(known, role, msg, idents)
            self.check_keys(known, msg)
        elif not msg.error:
            msg.checks[name] = BAD

    def phase1_hashes(self, known, role, ident, name):
        """HASH_I or HASH_R, one for each SA, g^xi and g^xr that came under these cookies."""
        offers = self.offers.get(known.ci.hex(), [])
        if not known.skeyid:
            return []
        make = keymath.hash_r if role == "r" else keymath.hash_i
        return [make(name, known.skeyid, gxi, gxr, known.ci, known.cr, sa, ident)
                for (sa, _), gxi, gxr in itertools.product(offers, known.kes["i"], known.kes["r"])]

    def check_phase1_signature(self, known, role, msg, idents=None):
        """SIG_I or SIG_R, if the message has the certificate."""
        certificate, name = msg.body(CERT), "SIG_R" if role == "r" else "SIG_I"
        if not certificate or known.method not in keymath.SIGNED:
            return
        values = [value for ident in idents or [msg.body(ID)]
                  for value in self.phase1_hashes(known, role, ident, keymath.SIGNED[known.method] or known.hash)]
        results = {keymath.verify_phase1(known.method, certificate[1:], value, msg.body(SIG)) for value in values}
        msg.checks[name] = OK if OK in results else BAD if BAD in results else UNCHECKED

    def check_keys(self, known, msg):
        """What of the key hierarchy can be made again from the wire and the logged keys."""
        pairs = list(itertools.product(known.kes["i"], known.kes["r"]))
        size = keymath.block_size(known.cipher)

        def check(name, good, otherwise=BAD):
            msg.checks[name] = OK if good else otherwise
        if known.first_iv and pairs:
            altered = UNCHECKED if BAD in msg.checks.values() else BAD  # KE of the wire are not those of the peers
            check("first IV", any(keymath.digest(known.hash, a + b)[:size] == known.first_iv for a, b in pairs), altered)
        if known.skeyid_e and known.key:
            wanted = known.key_size or len(known.key)
            check("cipher key", keymath.expand(known.hash, known.skeyid_e, wanted) == known.key)
        if known.shared and known.group in keymath.GROUPS:
            check("length of g_xy", len(known.shared) == keymath.GROUPS[known.group][1])
        if known.shared and known.skeyid:
            three = keymath.skeyid_dae(known.hash, known.skeyid, known.shared, known.ci, known.cr)
            check("SKEYID_d/a/e", three == (known.skeyid_d, known.skeyid_a, known.skeyid_e))
        if known.method in keymath.SIGNED and known.shared and known.nonces["i"] and known.nonces["r"]:
            check("SKEYID", any(keymath.skeyid_signature(known.hash, ni, nr, known.shared) == known.skeyid
                                for ni, nr in itertools.product(known.nonces["i"], known.nonces["r"])))

    # .. exchanges under Phase 1

    @staticmethod
    def phase2_ivs(known, exchange, mid):
        size = keymath.block_size(known.cipher)
        firsts = [keymath.phase2_iv(known.hash, block, mid, size) for block in known.blocks]
        if not known.blocks and known.first_iv:
            firsts.append(keymath.phase2_iv(known.hash, known.first_iv, mid, size))
        return exchange.blocks + firsts

    def informational(self, msg, data, sender):
        msg.kind = "INFO"
        known = self.sa_of(msg.header)
        if not msg.encrypted:
            msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
            return
        msg.checks["HASH(1)"] = UNCHECKED
        mid = msg.header["message_id"]
        exchange = known.exchanges.setdefault((INFORMATIONAL, mid), associations.Exchange())
        if not self.open(msg, data, known.cipher, known.key, self.phase2_ivs(known, exchange, mid)[::-1]):
            return
        msg.checks["HASH(1)"] = self.check_hash(known, msg, b"")

    def check_hash(self, known, msg, middle):
        """HASH first, and equal to keymath.prf(SKEYID_a, M-ID | middle | everything after it)."""
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
        return OK if hmac.compare_digest(keymath.prf(known.hash, known.skeyid_a, mid, middle, rest), got) else BAD

    def pull(self, msg, data, sender):
        known = self.sa_of(msg.header)
        mid = msg.header["message_id"]
        exchange = known.exchanges.setdefault((PULL, mid), associations.Exchange())
        role = self.role(msg, sender)
        opened = True
        if msg.encrypted:
            opened = self.open(msg, data, known.cipher, known.key, self.phase2_ivs(known, exchange, mid))
        else:
            msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
        step = self.step(msg, exchange, role)
        result = UNCHECKED
        if opened:
            step, result = self.check_pull(known, msg, exchange, step)
        msg.kind = "PULL%d" % step
        msg.checks["HASH(%d)" % step] = result
        if not opened:
            exchange.blocks.append(data[-keymath.block_size(known.cipher):])
            return
        good = msg.error is None and result != BAD
        self.keep(exchange, msg, step, good)
        block = data[-keymath.block_size(known.cipher):]
        if len(data) >= HEADER + len(block):
            if good and msg.encrypted:
                exchange.blocks.insert(0, block)
            else:
                exchange.blocks.append(block)
        if good:
            exchange.seen.append(step)
        if good and result == OK and not msg.remarks:
            self.check_policy(msg, exchange, step)

    def check_policy(self, msg, exchange, step):
        """Looks into a message of a PULL whose HASH is right."""
        msg.breaches += policy.breaches(msg)
        if step == 2:
            exchange.sa = msg.payload(SA)
        elif step == 4 and exchange.sa is not None:
            if (exchange.sa.find("SAK") is not None) != (msg.payload(SEQ) is not None):
                msg.breaches.append("SEQ and SAK do not come together")
            self.check_group(msg, exchange.sa, msg.payload(KD))

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

    def rekeys_of(self, head):
        return self.rekeys.get(head["initiator_cookie"] + head["responder_cookie"], [])

    def push(self, msg, data, _):
        msg.kind = "PUSH"
        msg.checks["SIG"] = UNCHECKED
        rekeys = self.rekeys_of(msg.header)
        if not msg.encrypted:
            msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
            if rekeys:
                self.check_sig(msg, rekeys)
            return
        for one in rekeys:
            if one.cipher and one.key and self.open(msg, data, one.cipher, one.key, [one.iv]):
                self.check_sig(msg, rekeys)
                break
        if msg.error is None and not msg.remarks and msg.checks["SIG"] == OK:
            msg.breaches += policy.breaches(msg)
            self.check_group(msg, msg.payload(SA), msg.payload(KD))

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
        for one in rekeys:
            # the Length with padding and without are both read (digest 14, row 2)
            for length in {msg.end, len(msg.plain)}:
                results.add(one.verify(msg.plain[:24] + struct.pack(">I", length), covered, signature))
        msg.checks["SIG"] = OK if OK in results else BAD if BAD in results else UNCHECKED

    def ack(self, msg, data, _):
        msg.kind = "PUSH-ACK"
        msg.checks["ACK HASH"] = UNCHECKED
        if msg.encrypted:
            return
        msg.payloads, msg.end, msg.error, msg.remarks = isakmp.parse_payloads(data, 0)
        rekeys = self.rekeys_of(msg.header)
        if msg.error or not rekeys:
            return
        if [p.number for p in msg.payloads] != [HASH, SEQ, ID]:
            msg.checks["ACK HASH"] = BAD
            return
        first = msg.payloads[0]
        spi, got, rest = data[:16], msg.body(HASH), msg.plain[first.offset + first.length:msg.end]
        results = set()
        for one in rekeys:
            for kind in [one.ack] if one.ack in keymath.ACK_HASHES else keymath.ACK_HASHES:
                name, bits = keymath.ACK_HASHES[kind]
                for base in [one.key] if kind in (1, 3) else self.lkh.leaves:
                    made = keymath.prf(name, keymath.ack_key(name, base, spi, bits), rest)
                    results.add(OK if hmac.compare_digest(made, got) else BAD)
        msg.checks["ACK HASH"] = OK if OK in results else BAD if results else UNCHECKED
        if msg.checks["ACK HASH"] == OK and not msg.remarks:
            msg.breaches += policy.breaches(msg)

    # .. policy and keys

    def check_group(self, msg, sa, kd):
        """Whether keys fit their policy, and the entries of keys.json what the wire says of them."""
        if kd is None:
            return
        packets = [k for k in kd.kids if k.kind == "packet"]
        if sa is not None:
            msg.breaches += policy.keys_fit(sa, kd)
        for packet in packets:
            if packet.number == 4:
                self.check_sids(msg, packet)
            elif packet.number == 3:
                self.check_lkh(msg, packet)
            elif sa is not None:
                self.check_entry(msg, sa, packet)

    def check_entry(self, msg, sa, packet):
        spi = packet.get("SPI") or b""
        if packet.number == 2:
            node = sa.find("SAK")
            name, want = "rekey", node and policy.rekey_entry(node, packet)
        else:
            node = next((k for k in sa.kids if k.number == SAT and k.kind == "payload" and k.get("SPI") == spi), None)
            name, want = "traffic", node and policy.traffic_entry(node, packet)
        entries = self.logged.get((name, spi.hex()))
        if not want or not entries:
            return
        wrong = min((policy.differ(entry, want) for entry in entries), key=len)
        self.mark(msg, name + " entry", BAD if wrong else OK)
        msg.details += ["%s entry %s: %s" % (name, spi.hex(), field) for field in wrong]

    def check_sids(self, msg, packet):
        bits = packet.attribute(1)
        values = {isakmp.number_of(k.value) for k in packet.kids if k.kind == "attribute" and k.number == 2}
        logged = {(e.get("bits"), v) for e in self.entries if e.get("kind") == "sids" for v in e.get("values") or []}
        if logged:
            self.mark(msg, "sids entry", OK if all((bits, v) in logged for v in values) else BAD)

    def check_lkh(self, msg, packet):
        logged = self.rekeys.get((packet.get("SPI") or b"").hex(), [])
        keks = [(one.iv, one.key) for one in logged]
        for name, result in (("LKH root", self.lkh.download(packet, keks)), ("LKH update", self.lkh.update(packet, keks))):
            if result != UNCHECKED:
                self.mark(msg, name, result)

    @staticmethod
    def mark(msg, name, result):
        """Notes the result of a check that may come several times in a message."""
        if msg.checks.get(name) != BAD:
            msg.checks[name] = result

    # -- ESP

    def esp(self, msg, data, at):
        """Header, IV, ICV check and the trailer of an ESP packet. Offsets count from the start of the ESP header."""
        msg.kind, msg.encrypted = "ESP", True
        if len(data) < 8:
            msg.error = "shorter than an ESP header"
            return
        msg.payloads = espkeys.nodes_of_header(data)
        msg.checks["ICV"] = UNCHECKED
        for one in self.traffic.get(data[:4].hex(), []):
            if one.transform is not None and self.esp_open(msg, data, one):
                return

    def esp_open(self, msg, data, one):
        """Whether a key opens the packet; if not, msg says that it did not."""
        size, tail = one.transform.iv, one.tail
        msg.checks["ICV"] = BAD
        if len(data) < 8 + size + tail + 2:
            msg.error = "ESP packet of %d octets" % len(data)
            return False
        iv = data[8:8 + size]
        del msg.payloads[2:]
        if size:
            msg.payloads.append(isakmp.Node("IV", "field", 0, 8, size, iv))
        msg.payloads.append(isakmp.Node("ICV", "field", 0, len(data) - tail, tail, data[-tail:]))
        opened = one.open(data, (msg.link, msg.src))
        if opened is None:
            return False
        msg.checks["ICV"], msg.error, msg.decrypted = OK, None, True
        nodes, msg.inner, msg.error = espkeys.contents(opened.plain, 8 + size)
        msg.headers = sum(n.length for n in nodes if n.name == "Metadata")
        msg.payloads += nodes
        self.check_iv(msg, data, one, iv)
        if len(opened.plain) % max(4, one.transform.block):
            msg.breaches.append("ESP plaintext of %d octets" % len(opened.plain))
        return True

    def check_iv(self, msg, data, one, iv):
        for name, result in (("IV used once", self.ivs.check(data[:4], one, iv, data)),
                             ("SID of the IV", self.ivs.check_sid(one, iv))):
            if result is not None:
                msg.checks[name] = result

def read(frames, keys=None):
    """Messages of all frames of a capture."""
    reader = Reader(keys)
    return [reader.frame(frame) for frame in frames]
