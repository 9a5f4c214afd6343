"""Tests of the second decoder: the worked values of the wire digest, messages of its own encoder, broken octets."""

import itertools
import os
import random
import sys
import unittest

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import capfile   # noqa: E402
import espkeys   # noqa: E402
import gdoi      # noqa: E402
import isakmp    # noqa: E402
import keymath   # noqa: E402
import policy    # noqa: E402
import sample    # noqa: E402
import suite     # noqa: E402

H = bytes.fromhex
NAME = "sha256"
CI, CR = H("11" * 8), H("22" * 8)
NI, NR = bytes(range(16)), bytes(range(16, 32))
GXI, GXR, GXY = b"\xa1" * 32, b"\xb2" * 32, b"\xc3" * 32
MID = H("01020304")

SKEYID = H("56d2d611838d3e5b3f5a8f205893a2ad981df13b2537f9bcf1bbd27b1cb5522a")
SKEYID_A = H("8ce7a1ff1597c41b73b7bcfc2b20c35f24dfa9778146af6b9753a946d0015605")
PHASE1_SA = H("0000003800000002000000000000002c0101000100000024010100008001000780"
              "0e010080020004800300018004000e800b0001800c7080")
SAK = H("160000451101035004c000020a01035004ef010101c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d70000000080020003800300800004000400"
        "015180800500038006000180070800")
GAP = H("1000000c800100058002000a")
SAT = H("0000003f0100040000080a000000ff000000040000080a000000ff000000149abcdef0800100010002000400000e108004000180060100"
        "800e0004800f0003")
SA_HEADER = H("000000a00000000200000000000f0000")
KD = H("00000083000300000200003910c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d700010020404142434445464748494a4b4c4d4e4f505152535455"
       "565758595a5b5c5d5e5f01000031049abcdef000010024606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
       "808182830400001100800100080002000400000005")
SEQ = H("1100000800000000")
KEK_SPI = H("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7")


def generic(following, body):
    return bytes([following, 0]) + (len(body) + 4).to_bytes(2, "big") + body


class WorkedValues(unittest.TestCase):
    """The values that the digest lists; each is made from its inputs."""

    def same(self, got, want):
        self.assertEqual(got.hex(), want)

    def test_keys(self):
        self.same(keymath.skeyid_psk(NAME, b"gdoi-psk", NI, NR), SKEYID.hex())
        self.same(keymath.skeyid_signature(NAME, NI, NR, GXY),
                  "f2655e0beb3e7887b01e110fea19e6188b2b74e695941866d7a42cbcfb55e000")
        d, a, e = keymath.skeyid_dae(NAME, SKEYID, GXY, CI, CR)
        self.same(d, "c9d970c6e9c6d124b8400de9211285e9fabb6457c0c948590428a2fc0e6e990b")
        self.same(a, SKEYID_A.hex())
        self.same(e, "9c69f4e7f096dd355a5dc19f5762f4d796bf28f5cd360495ce2fd76d24d24fe7")

    def test_ivs(self):
        self.same(keymath.digest(NAME, GXI, GXR)[:16], "d8377945f0e5fb139731eb0178caab8f")
        last = H("f0e0d0c0b0a09080706050403020100f")
        self.same(keymath.phase2_iv(NAME, last, 0x01020304, 16), "9298874f877ec0cf185f14b4288f2c5c")

    def test_phase1_sa(self):
        attrs = sample.tv(1, 7) + sample.tv(14, 256) + sample.tv(2, 4) + sample.tv(3, 1) + sample.tv(4, 14) + \
            sample.tv(11, 1) + sample.tv(12, 28800)
        self.same(generic(0, sample.phase1_sa([attrs])), PHASE1_SA.hex())
        nodes, _, error, remarks = isakmp.parse_payloads(CI + bytes(8) + H("0110020000000000") + bytes(4) + PHASE1_SA, 0)
        self.assertEqual((error, remarks), (None, []))
        transform = nodes[0].find("P").find("T")
        self.assertEqual([transform.attribute(n) for n in (1, 14, 2, 3, 4, 11, 12)], [7, 256, 4, 1, 14, 1, 28800])

    def test_hash_i(self):
        value = keymath.hash_i(NAME, SKEYID, GXI, GXR, CI, CR, PHASE1_SA[4:], sample.ident(1, H("c0000201")))
        self.same(value, "472e4bfd5ec5055118ac7f0648e4182c16ea8e0026c4a987a761a3562ef38207")

    def test_hash_1(self):
        rest = generic(isakmp.ID, NI) + generic(0, sample.ident(11, H("000004d2")))
        self.same(keymath.prf(NAME, SKEYID_A, MID, rest),
                  "b7d06d0b7f469764d7f94e53a251f94ee8c1e5ef3a4e51c9800f79585c5d6476")

    def test_group_sa(self):
        kek = sample.tv(2, 3) + sample.tv(3, 128) + sample.tlv(4, H("00015180")) + sample.tv(5, 3) + sample.tv(6, 1) + \
            sample.tv(7, 2048)
        sak = sample.sak(KEK_SPI, sample.endpoint(1, 848, H("c000020a")), sample.endpoint(1, 848, H("ef010101")), kek)
        self.same(generic(isakmp.GAP, sak), SAK.hex())
        self.same(generic(isakmp.SAT, sample.tv(1, 5) + sample.tv(2, 10)), GAP.hex())
        net = sample.endpoint(4, 0, H("0a000000ff000000"))
        tek = sample.tv(1, 1) + sample.tlv(2, H("00000e10")) + sample.tv(4, 1) + sample.tv(6, 256) + \
            sample.tv(14, 4) + sample.tv(15, 3)
        self.same(generic(0, sample.sat(net, net, 20, H("9abcdef0"), tek)), SAT.hex())
        self.same(generic(0, sample.group_sa([(15, SAK[4:]), (22, GAP[4:]), (16, SAT[4:])])),
                  (SA_HEADER + SAK + GAP + SAT).hex())

    def test_hash_2(self):
        rest = generic(isakmp.SA, NR) + SA_HEADER + SAK + GAP + SAT
        self.same(keymath.prf(NAME, SKEYID_A, MID, NI, rest),
                  "37468bc7ae9e15fd96d39ce9af03db6dcdef05a7c9fc3f773de338d39f896932")

    def test_hash_3(self):
        request = generic(0, sample.tv(3, 2))
        self.same(keymath.prf(NAME, SKEYID_A, MID, NI + NR, request),
                  "c054802045bd7c4b0ebd7abd0002a8a86ac161f97571c85738a87b4398696113")
        self.same(keymath.prf(NAME, SKEYID_A, MID, NI + NR),
                  "3acd80e2647723e6842ab99f70c1dabfb4cc29e04063a49f448a6e8c16238417")

    def test_kd(self):
        keys = sample.key_download([
            sample.packet(2, KEK_SPI, sample.tlv(1, bytes(range(0x40, 0x60)))),
            sample.packet(1, H("9abcdef0"), sample.tlv(1, bytes(range(0x60, 0x84)))),
            sample.packet(4, b"", sample.tv(1, 8) + sample.tlv(2, H("00000005")))])
        self.same(generic(0, keys), KD.hex())

    def test_seq(self):
        self.same(generic(isakmp.KD, bytes(4)), SEQ.hex())

    def test_policy_and_keys(self):
        sa = policy_message(isakmp.PULL, [(isakmp.SA, (SA_HEADER + SAK + GAP + SAT)[4:])], mid=1)
        kd = policy_message(isakmp.PULL, [(isakmp.SEQ, SEQ[4:]), (isakmp.KD, KD[4:])], mid=1)
        self.assertEqual((sa.error, sa.remarks, kd.error, kd.remarks), (None, [], None, []))
        self.assertEqual(policy.breaches(sa) + policy.breaches(kd) + list(policy.keys_fit(sa.payloads[0], kd.payloads[1])), [])
        sak, gap, sat = (sa.payloads[0].find(name) for name in ("SAK", "GAP", "SAT"))
        self.assertEqual((sak.get("SPI"), sak.find("Destination").get("Data"), sak.attribute(4)), (KEK_SPI, H("ef010101"), 86400))
        self.assertEqual((gap.attribute(1), gap.attribute(2)), (5, 10))
        self.assertEqual((sat.get("Transform ID"), sat.get("SPI"), policy.prefix(sat.find("Source"))), (20, H("9abcdef0"), "10.0.0.0/8"))
        self.assertEqual([(k.name, k.length) for k in kd.payloads[1].kids[1:]], [
            ("Key Packet KEK", 57), ("Key Packet TEK", 49), ("Key Packet SID", 17)])

    def test_hash_4(self):
        self.same(keymath.prf(NAME, SKEYID_A, MID, NI + NR, SEQ + KD),
                  "0724f9e8457f0c8dee10872bc6126134f7bd30eb62432985fef691fb8a9d9c39")

    def test_push(self):
        parts = sample.chain([(isakmp.SEQ, H("00000001")), (isakmp.D, sample.delete(2, 1, [bytes(4)])),
                              (isakmp.D, sample.delete(2, 0, [bytes(16)])), (isakmp.SIG, bytes(256))])
        covered = parts[:-260]
        self.same(covered, "0c000008000000010c000010000000020104000100000000"
                           "0900001c000000020010000100000000000000000000000000000000")
        length = 28 + len(parts)
        pad = -len(parts) % 16
        self.assertEqual((length, pad), (340, 8))
        for size, want in ((length, "19a0a71494c90b0c0ade0936951c94576c10fadefd1a1bc58762ae1a9595d885"),
                           (length + pad, "894c5d6a8364e364493fa164f5ce6111fe2d4319f1199b375684b487bc9757d1")):
            head = sample.header(KEK_SPI[:8], KEK_SPI[8:], isakmp.SEQ, isakmp.PUSH, 1, 0, size)
            self.same(keymath.rekey_digest(NAME, head, covered), want)

    def test_ack(self):
        base, ident = bytes(range(0x50, 0x60)), generic(0, sample.ident(1, H("c0000201")))
        rest = generic(isakmp.ID, H("00000001")) + ident
        for bits, key, value in (
                (512, "ef5008116c2bd4ee0612485122a78bdea45d825c972f807c54e4c610e6b6aeff",
                 "a92a8ea5a46b8ea8cba16d45bc905c7d49dfa43645c60122243da8bd5d001448"),
                (256, "a00ae2deedf42425202a4d5233a3c9d4b55ec6f629425ba0c158ea3f1932d3ab",
                 "d23f95833a48474e52b5021dad383095c07e376323ff8b47d62174867ee48372"),
                (128, "e5e7c7e09783ce90f2050511602b24022f03a64e456805628f90bc386adb5687",
                 "47b171a1a78c4b441a286411cbb23cd9c612c2049c4f527a90cc93ca955e092f")):
            made = keymath.ack_key(NAME, base, KEK_SPI, bits)
            self.same(made, key)
            self.same(keymath.prf(NAME, made, rest), value)
        self.same(sample.header(KEK_SPI[:8], KEK_SPI[8:], isakmp.HASH, isakmp.PUSH_ACK, 0, 0, 28 + 36 + len(rest)),
                  "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7081023000000000000000054")

    def test_expanded_key(self):
        self.same(keymath.expand("sha1", bytes(range(20)), 32),
                  "1e5fd6a5cbc98bd4c1fe20d5e5fb2ed1df330c93a33c043ca850a65fd7aeae17")

    def test_nat_d(self):
        self.same(keymath.nat_d(NAME, CI, CR, H("c000020a"), 848),
                  "4855e3a992452f55ea33142336ebd6d47d0b1180ef44b8484a53e8b7620af5fd")


def frames_of(conversation):
    data = sample.pcapng([(0, packet) for _, packet in conversation.datagrams(conversation.messages())])
    return capfile._pcapng(data)  # pylint: disable=protected-access


def read_all(one, messages=None, entries=None):
    """The second decoder's reading of a conversation."""
    packets = [packet for _, packet in one.datagrams(messages or one.messages())]
    return gdoi.read(frames_of_packets(packets), {"entries": entries or one.entries()})


def frames_of_packets(packets, linktype=101):
    return capfile._pcapng(sample.pcapng([(0, p) for p in packets], linktype=linktype))  # pylint: disable=protected-access


def results(read):
    """name -> results of that check over all messages."""
    out = {}
    for message in read:
        for name, result in message.checks.items():
            out.setdefault(name, set()).add(result)
    return out


class Conversations(unittest.TestCase):

    def right(self, one, read):
        for message in read:
            self.assertIsNone(message.error, message.kind)
            self.assertEqual(message.remarks + message.breaches + message.details, [], message.kind)
            self.assertEqual(set(message.checks.values()) - {"ok"}, set(), (one.suite, message.kind, message.checks))
            for _, offset, length, _ in message.leaves:
                self.assertLessEqual(offset + length, len(message.plain))

    def test_whole(self):
        seen = set()
        for seed in range(60):
            one = sample.Conversation(seed)
            read = read_all(one)
            self.assertEqual([m.kind for m in read], [
                "MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "PULL1", "PULL2", "PULL3", "PULL4", "PUSH", "PUSH-ACK",
                "INFO"])
            self.right(one, read)
            seen |= set(results(read))
        self.assertEqual(seen, {
            "HASH_I", "HASH_R", "first IV", "cipher key", "length of g_xy", "SKEYID_d/a/e", "NAT-D", "HASH(1)", "HASH(2)",
            "HASH(3)", "HASH(4)", "SIG", "ACK HASH", "rekey entry", "traffic entry", "sids entry", "LKH root", "LKH update"})

    def test_every_phase1(self):
        for (cipher, bits), number, group in itertools.product(
                ((7, 128), (7, 192), (7, 256), (5, 0), (1, 0), (8, 128)), (1, 2, 4, 5, 6), (1, 14, 16, 19, 20, 21)):
            one = sample.Conversation(group, chosen=suite.Suite(cipher=cipher, bits=bits, hash=number, group=group))
            self.right(one, read_all(one))

    def test_phase1_is_read_from_messages_1_and_2(self):
        for number, other in ((1, 2), (4, 5), (6, 1)):
            one = sample.Conversation(4, chosen=suite.Suite(hash=number))
            messages = one.messages()
            wrong = sample.Conversation(4, chosen=suite.Suite(hash=other)).messages()
            messages[1] = wrong[1]
            found = results(read_all(one, messages))
            self.assertIn("bad", found["HASH_I"] | found["SKEYID_d/a/e"])

    def test_planted_in_phase1(self):
        for cipher, bits, number, group in ((7, 256, 2, 2), (5, 0, 6, 21), (7, 192, 1, 15)):
            one = sample.Conversation(group, chosen=suite.Suite(cipher=cipher, bits=bits, hash=number, group=group))
            for field, name in (("skeyid", "HASH_I"), ("skeyid_a", "HASH(1)"), ("skeyid_d", "SKEYID_d/a/e"),
                                ("skeyid_e", "SKEYID_d/a/e"), ("g_xy", "SKEYID_d/a/e"), ("first_iv", "first IV")):
                entries = one.entries()
                entries[0][field] = flipped(entries[0][field])
                found = results(read_all(one, entries=entries))
                self.assertIn("bad", found.get(name, set()) | found["HASH_I"], (cipher, field))
            entries = one.entries()
            entries[0]["g_xy"] = entries[0]["g_xy"][2:]
            self.assertIn("bad", results(read_all(one, entries=entries))["length of g_xy"])
            entries = one.entries()
            entries[0]["cipher_key"] = flipped(entries[0]["cipher_key"])
            read = read_all(one, entries=entries)
            self.assertFalse(any(m.checks.get("HASH_I") == "ok" for m in read))
            entries = one.entries()
            entries[0]["cipher_key"] = entries[0]["skeyid_e"][:48] + "00" * 8   # a key of another cipher
            self.assertNotIn("ok", results(read_all(one, entries=entries)).get("cipher key", set()))

    def test_signatures_of_phase1(self):
        for method, number in ((3, 2), (3, 5), (9, 4), (10, 2), (11, 6)):
            one = sample.Conversation(method, chosen=suite.Suite(method=method, hash=number))
            messages = one.messages()
            read = read_all(one, messages)
            self.assertEqual([m.breaches + m.remarks + [m.error] for m in read], [[None]] * 13)
            found = results(read)
            self.assertEqual([found[n] for n in ("SIG_I", "SIG_R", "SKEYID", "HASH(1)", "HASH(4)")], [{"ok"}] * 5)
            end = one.proof("i", b"")[2][1]
            spot = len(sample.chain(one.proof("i", b""))) - len(end) + 9
            messages[4].octets = alter(messages[4].octets, spot)
            self.assertEqual(read_all(one, messages)[4].checks["SIG_I"], "bad")
            entries = one.entries()
            entries[0]["skeyid"] = flipped(entries[0]["skeyid"])
            found = results(read_all(one, entries=entries))
            self.assertEqual((found["SKEYID"], found["SIG_R"]), ({"bad"}, {"bad"}))

    def test_planted_in_nat_d(self):
        one = sample.Conversation(3)
        messages = one.main_mode()
        while not any(m.name == "NAT-D" for m in clear(messages[2]).payloads):
            messages = one.main_mode()
        spot = next(n for n in clear(messages[2]).payloads if n.name == "NAT-D").offset - 28
        messages[2].octets = alter(messages[2].octets, spot + 6)
        self.assertEqual(results(read_all(one, messages))["NAT-D"] - {"ok"}, {"bad"})

    def test_public_values(self):
        for group, (size, _) in keymath.GROUPS.items():
            if group > 16 and group not in keymath.CURVES:
                continue
            good = suite.Suite(group=group).exchange(random.Random(1))[0]
            self.assertIsNone(keymath.public_value_error(group, good))
            bad = [bytes(size), b"\xff" * size, good[1:], good + b"\0"]
            bad.append(alter(good, size - 1) if group in keymath.CURVES else bytes(size - 1) + b"\1")
            if group not in keymath.CURVES:
                bad.append((keymath.modp_prime(group) - 1).to_bytes(size, "big"))
            for value in bad:
                self.assertIsNotNone(keymath.public_value_error(group, value), group)
        one = sample.Conversation(5, chosen=suite.Suite(group=19))
        messages = one.messages()
        messages[2].octets = alter(messages[2].octets, 40)
        self.assertEqual([len(m.breaches) for m in read_all(one, messages)][:4], [0, 0, 1, 0])

    def test_prime_of_a_group(self):
        prime = keymath.modp_prime(1)
        self.assertEqual(prime >> 704, 0xffffffffffffffff)
        self.assertEqual(hex(prime)[18:58], "c90fdaa22168c234c4c6628b80dc1cd129024e08")   # the binary digits of pi
        for group in (1, 2, 5, 14):
            self.assertEqual(pow(3, keymath.modp_prime(group) - 1, keymath.modp_prime(group)), 1)

    def test_every_rekey(self):
        for kek, kek_bits in ((3, 128), (3, 192), (3, 256), (2, 0), (2, 192), (1, 0)):
            for sign, sign_hash in [(1, n) for n in (1, 2, 3, 4, 5)] + [(n, h) for n in (4, 5, 6) for h in (0, n - 1)]:
                for bare, padded, ack in ((False, False, 1), (sign == 1, True, 3)):
                    chosen = suite.Suite(kek=kek, kek_bits=kek_bits, sign=sign, sign_hash=sign_hash, bare=bare,
                                         padded=padded, ack=ack)
                    one = sample.Conversation(kek_bits + sign, chosen=chosen)
                    self.right(one, read_all(one))

    def test_planted_in_a_rekey(self):
        for kek, kek_bits, sign, bare in ((3, 192, 1, False), (2, 0, 1, True), (3, 256, 5, False), (3, 128, 6, False)):
            chosen = suite.Suite(kek=kek, kek_bits=kek_bits, sign=sign, sign_hash=3 if sign == 1 else sign - 1, bare=bare)
            one = sample.Conversation(8, chosen=chosen)
            for field, name in (("public_key", "SIG"), ("sig_hash", "SIG"), ("sig_form", "SIG"), ("key", "ACK HASH"),
                                ("ack", "ACK HASH"), ("iv", "rekey entry"), ("key", "rekey entry")):
                entries = one.entries()
                for entry in entries[1:3]:
                    if field == "public_key":
                        entry[field] = suite.Suite(sign=4 if sign != 4 else 1).public.hex()
                    elif field == "sig_hash":
                        entry[field] = 5 if sign == 1 else 0
                    elif field == "sig_form":
                        entry[field] = "" if bare else "bare-hash"
                    elif field == "ack":
                        entry[field] = 3
                    else:
                        entry[field] = flipped(entry[field])
                found = results(read_all(one, entries=entries))
                if sign != 1 and field in ("sig_hash", "sig_form"):
                    self.assertEqual(found["SIG"], {"ok"})     # the algorithm says it all
                else:
                    self.assertNotEqual(found[name], {"ok"}, (chosen, field))

    def test_planted_in_a_signature(self):
        for sign in (1, 4, 5, 6):
            one = sample.Conversation(9, chosen=suite.Suite(sign=sign, sign_hash=3 if sign == 1 else sign - 1))
            for spot in (-1, -one.suite.signature_size, 4):
                messages = one.messages()
                messages[10].octets = alter(messages[10].octets, spot)
                self.assertNotEqual(read_all(one, messages)[10].checks["SIG"], "ok", (sign, spot))

    def test_both_readings_of_the_length_and_no_third(self):
        one = sample.Conversation(10, chosen=suite.Suite())
        messages = one.messages()
        size = one.suite.signature_size
        octets = messages[10].octets
        for more, want in ((0, "ok"), (-len(octets) % 16, "ok"), (16, "bad"), (-size - 4, "bad")):
            head = sample.header(one.rekey[0][:8], one.rekey[0][8:], isakmp.SEQ, isakmp.PUSH, 1, 0, 28 + len(octets) + more)
            value = keymath.rekey_digest("sha256", head, octets[:-size - 4])
            messages[10].octets = octets[:-size] + one.suite.signature(value)
            self.assertEqual(read_all(one, messages)[10].checks["SIG"], want, more)

    def test_every_acknowledgement(self):
        for ack, lkh in ((1, False), (3, False), (2, True), (4, True)):
            for kek, kek_bits in ((3, 128), (3, 192), (3, 256), (2, 0)):
                one = sample.Conversation(ack, chosen=suite.Suite(ack=ack, lkh=lkh, kek=kek, kek_bits=kek_bits))
                messages = one.messages()
                read = read_all(one, messages)
                self.right(one, read)
                ack_at = next(i for i, m in enumerate(messages) if m.kind == "PUSH-ACK")
                messages[ack_at].octets = alter(messages[ack_at].octets, 10)
                self.assertEqual(read_all(one, messages)[ack_at].checks["ACK HASH"], "bad")

    def test_lkh(self):
        found = set()
        for seed in range(12):
            one = sample.Conversation(seed, chosen=suite.Suite(lkh=True, ack=2))
            messages = one.messages()
            self.right(one, read_all(one, messages))
            entries = one.entries()
            entries[1]["key"] = flipped(entries[1]["key"])
            self.assertIn("bad", results(read_all(one, messages, entries))["LKH root"])
            entries = one.entries()
            entries[2]["key"] = flipped(entries[2]["key"])
            found |= results(read_all(one, messages, entries)).get("LKH update", set())
        self.assertEqual(found, {"bad"})

    def test_without_keys(self):
        one = sample.Conversation(1)
        read = gdoi.read(frames_of(one), {})
        self.assertEqual([m.decrypted for m in read], [False] * 13)
        self.assertEqual([m.kind for m in read][:6], ["MM1", "MM2", "MM3", "MM4", "MM5", "MM6"])

    def test_repeated_and_rejected_messages_leave_the_chain_alone(self):
        for cipher, bits in ((7, 128), (5, 0)):
            one = sample.Conversation(2, chosen=suite.Suite(cipher=cipher, bits=bits))
            packets = [packet for _, packet in one.datagrams(one.messages())]
            forged = bytearray(packets[7])
            forged[28 + 28 + 19] ^= 1
            order = packets[:7] + [packets[6], bytes(forged)] + packets[7:8] + [packets[7]] + packets[8:]
            read = gdoi.read(frames_of_packets(order), {"entries": one.entries()})
            self.assertEqual([m.kind for m in read][6:13], ["PULL1"] * 2 + ["PULL2"] * 3 + ["PULL3", "PULL4"])
            found = [list(m.checks.values())[0] for m in read[6:13]]
            self.assertEqual(found, ["ok", "ok", "bad", "ok", "ok", "ok", "ok"])
            self.assertEqual([m.repeats for m in read[6:11]], [0, 7, 0, 0, 10])

    def test_ipv6(self):
        for linktype, frame in ((101, bytes), (1, sample.ethernet)):
            one = sample.Conversation(6, "2001:db8::21", "2001:db8::10")
            packets = [packet for _, packet in one.datagrams(one.messages())]
            read = gdoi.read(frames_of_packets([frame(p) for p in packets], linktype), {"entries": one.entries()})
            self.right(one, read)
            self.assertEqual((read[0].src, read[0].dst), ("[2001:db8::21]:848", "[2001:db8::10]:848"))
            split = [part for packet in packets for part in sample.fragments(packet, 256)]
            read = [m for m in gdoi.read(frames_of_packets(split), {"entries": one.entries()}) if m.kind != "fragment"]
            self.assertEqual(len(read), 13)
            self.right(one, read)

    def test_checksums(self):
        for ends in (("192.0.2.21", "192.0.2.10"), ("2001:db8::21", "2001:db8::10")):
            one = sample.Conversation(6, *ends)
            packet = one.datagrams(one.messages())[0][1]
            at = 26 if ":" not in ends[0] else 46
            for value, good in ((packet[at:at + 2], True), (bytes(2), ":" not in ends[0]), (b"\x12\x34", False)):
                read = gdoi.read(frames_of_packets([packet[:at] + value + packet[at + 2:]]))[0]
                self.assertEqual((read.kind, not read.breaches), ("MM1", good))

    def test_identities(self):
        oid = H("06052a0304050600") + b"\3xyz"
        for kind, data, good in ((1, bytes(4), True), (1, bytes(16), False), (5, bytes(16), True), (5, bytes(4), False),
                                 (4, bytes(8), True), (6, bytes(32), True), (6, bytes(8), False), (7, bytes(8), True),
                                 (8, bytes(32), True), (8, bytes(31), False), (2, b"gm1.example", True), (11, b"1234", True),
                                 (13, b"\7" + oid, True), (13, b"\7" + oid + b"x", False), (13, b"\7" + oid[:-1], False),
                                 (13, b"", False)):
            read = policy_message(isakmp.PULL, [(isakmp.ID, sample.ident(kind, data))])
            self.assertEqual((read.error, not read.remarks), (None, good), (kind, data))

    def test_certificates_and_nat(self):
        parts = [(isakmp.CERT, b"\4cert"), (isakmp.CR, b"\4"), (20, bytes(32)), (isakmp.NAT_OA, b"\5\0\0\0" + bytes(16)), (isakmp.VID, b"v")]
        read = policy_message(isakmp.IDENTITY_PROTECTION, parts)
        self.assertEqual([(p.name, [(k.name, k.value) for k in p.kids] or p.value) for p in read.payloads], [
            ("CERT", [("Encoding", 4), ("Data", b"cert")]), ("CR", [("Encoding", 4), ("Data", b"")]), ("NAT-D", bytes(32)),
            ("NAT-OA", [("ID Type", 5), ("Address", bytes(16))]), ("VID", b"v")])

    def test_extension_headers(self):
        one = sample.Conversation(6, "2001:db8::21", "2001:db8::10")
        packet = one.datagrams(one.messages())[0][1]
        extra = bytes([60, 0, 1, 4, 0, 0, 0, 0]) + bytes([44, 1, 1, 12]) + bytes(12) + bytes([17, 0, 0, 0, 0, 0, 0, 9])
        longer = packet[:4] + (len(packet) - 40 + len(extra)).to_bytes(2, "big") + b"\0" + packet[7:40] + extra + packet[40:]
        read = gdoi.read(frames_of_packets([longer]))
        self.assertEqual((read[0].kind, read[0].error), ("MM1", None))
        for size in range(40, len(longer)):
            cut = longer[:4] + (size - 40).to_bytes(2, "big") + longer[6:size]
            gdoi.read(frames_of_packets([cut, longer[:size]]))


def flipped(text):
    """Octets in hexadecimal with the last one changed."""
    return text[:-2] + "%02x" % (int(text[-2:], 16) ^ 2)


def alter(octets, spot):
    out = bytearray(octets)
    out[spot] ^= 1
    return bytes(out)


def clear(message):
    """A message before encryption, as far as its payloads tell."""
    out = gdoi.Message()
    head = sample.header(CI, CR, message.first, message.exchange, 0, message.mid, 28 + len(message.octets))
    out.payloads = isakmp.parse_payloads(head + message.octets, 0)[0]
    return out


def policy_message(exchange, payloads, flags=1, mid=0):
    """A message of these payloads as the decoder sees it after decryption."""
    octets = sample.chain(payloads)
    out = gdoi.Message()
    out.plain = sample.header(CI, CR, payloads[0][0], exchange, flags, mid, 28 + len(octets)) + octets
    out.header = isakmp.parse_header(out.plain)
    out.payloads, out.end, out.error, out.remarks = isakmp.parse_payloads(out.plain, 0)
    return out


class Policy(unittest.TestCase):
    """What the digest asks of SAs and their keys; each row breaks one rule."""

    def setUp(self):
        self.one = sample.Conversation(11, chosen=suite.Suite(kek=2, kek_bits=0, ack=1))
        self.net = sample.endpoint(4, 0, H("0a000000ff000000"))

    def breaches(self, sats, packets, sak=None, gap=None):
        parts = ([(isakmp.SAK, sak)] if sak else []) + ([(isakmp.GAP, gap)] if gap else []) + [(isakmp.SAT, s) for s in sats]
        sa = policy_message(isakmp.PULL, [(isakmp.SA, sample.group_sa(parts))], mid=1)
        kd = policy_message(isakmp.PULL, [(isakmp.KD, sample.key_download(packets))], mid=1)
        self.assertEqual([sa.error, kd.error, sa.remarks, kd.remarks], [None, None, [], []])
        return policy.breaches(sa) + policy.breaches(kd) + list(policy.keys_fit(sa.payloads[0], kd.payloads[0]))

    def test_traffic_keys(self):
        for number, row in espkeys.TRANSFORMS.items():
            for bits in (128, 192, 256) if row.needs_key_length else (0,):
                for integrity in (0,) if row.combined else (1, 2, 5, 6, 7, 9):
                    chosen = suite.Suite(transform=number, tek_bits=bits, integrity=integrity)
                    one = sample.Conversation(bits, chosen=chosen)
                    node, keys = one.sat_tek()
                    self.assertEqual(self.breaches([node], [keys]), [], chosen)
                    for cut, rest in ((1, self.lengths(one, -1, 0)), (2, self.lengths(one, 1, 0)), (3, self.lengths(one, 0, 1))):
                        self.assertNotEqual(self.breaches([node], [sample.packet(1, one.tek_spi, rest)]), [], (chosen, cut))

    @staticmethod
    def lengths(one, cipher, integrity):
        """Keys that are longer or shorter by so many octets."""
        keys = [(1, bytes(range(len(one.tek) + cipher if one.tek else max(0, cipher) + 1))),
                (2, bytes(len(one.tek_auth) + integrity))]
        return b"".join(sample.tlv(n, k) for n, k in keys if k)

    def test_3des_keys(self):
        one = sample.Conversation(3, chosen=suite.Suite(transform=3, integrity=2))
        part = [bytes(range(n, n + 8)) for n in (0, 40, 80)]
        other = bytes(octet ^ 1 for octet in part[0])    # differs in the bits that are no part of the key
        for key, good in ((part[0] + part[1] + part[2], True), (part[0] * 3, False), (part[0] + part[1] + part[0], False),
                          (part[0] * 2 + part[1], False), (part[0] + part[1] * 2, False), (part[0] + other + part[1], False)):
            tek = sample.packet(1, one.tek_spi, sample.tlv(1, key) + sample.tlv(2, bytes(20)))
            self.assertEqual(not self.breaches([one.sat_tek()[0]], [tek]), good)
            kek = sample.packet(2, self.one.rekey[0], sample.tlv(1, bytes(8) + key))
            self.assertEqual(not self.breaches([], [kek], self.one.sak(self.one.rekey[0])[1]), good)

    def test_rekey_keys(self):
        for kek, bits in ((3, 128), (3, 192), (3, 256), (2, 0), (1, 0)):
            one = sample.Conversation(12, chosen=suite.Suite(kek=kek, kek_bits=bits))
            spi, iv, key = one.rekey
            for data, packet_spi, good in ((iv + key, spi, True), (key, spi, False), (iv + key + b"x", spi, False),
                                           (iv + key[1:], spi, False), (iv + key, bytes(16), False)):
                packets = [sample.packet(2, packet_spi, sample.tlv(1, data))]
                self.assertEqual(not self.breaches([], packets, one.sak(spi)[1]), good, (kek, bits))
            self.assertNotEqual(self.breaches([], [], one.sak(spi)[1]), [])

    def test_sak(self):
        tv, spi = sample.tv, self.one.rekey[0]
        ends = [sample.endpoint(1, 848, H("c000020a"))] * 2
        right = [tv(2, 3), tv(3, 256), sample.tlv(4, H("00015180")), tv(5, 3), tv(6, 1), tv(7, 2048), tv(9, 1)]
        kek = [sample.packet(2, spi, sample.tlv(1, bytes(48)))]

        def tried(attributes):
            return self.breaches([], kek, sample.sak(spi, *ends, b"".join(attributes)))
        self.assertEqual(tried(right), [])
        self.assertEqual(tried(right[:3] + [tv(6, 4)]), [])     # ECDSA says its hash itself
        for spot, other in ((0, tv(2, 4)), (0, b""), (1, b""), (1, tv(3, 100)), (3, b""), (3, tv(5, 6)), (4, b""), (4, tv(6, 7)),
                            (4, tv(6, 5)), (6, tv(9, 5)), (6, tv(77, 1)), (6, tv(1, 1))):
            self.assertNotEqual(tried(right[:spot] + [other] + right[spot + 1:]), [], (spot, other))

    def test_sat(self):
        tv, spi = sample.tv, H("9abcdef0")
        life = [tv(1, 1), sample.tlv(2, H("00000e10"))]
        keys = [sample.packet(1, spi, sample.tlv(1, bytes(16)) + sample.tlv(2, bytes(32)))]

        def tried(attributes, transform=12, protocol=1, spi=spi):
            return self.breaches([sample.sat(self.net, self.net, transform, spi, b"".join(attributes), protocol)], keys)
        right = life + [tv(4, 1), tv(5, 5), tv(6, 128), tv(11, 1), tv(14, 4), tv(15, 3)]
        self.assertEqual(tried(right), [])
        for spot, other in ((0, b""), (1, b""), (0, tv(1, 3)), (2, tv(4, 5)), (3, b""), (3, tv(5, 4)), (4, b""), (4, tv(6, 64)),
                            (5, tv(11, 2)), (6, tv(14, 0)), (6, tv(14, 5)), (7, tv(15, 4)), (7, tv(99, 1))):
            self.assertNotEqual(tried(right[:spot] + [other] + right[spot + 1:]), [], (spot, other))
        self.assertNotEqual(tried(right, transform=21), [])
        self.assertNotEqual(tried(right, protocol=4), [])
        self.assertNotEqual(tried(right, spi=H("000000ff")), [])

    def test_ah(self):
        for number, auth, size in ((2, 1, 16), (3, 2, 20), (5, 5, 32), (6, 6, 48), (7, 7, 64), (9, 9, 16), (11, 11, 20),
                                   (12, 12, 28), (13, 13, 36)):
            for transform, length, good in ((number, size, True), (number % 13 + 1, size, False), (number, size - 1, False)):
                spi = H("40000001")
                attrs = sample.tv(1, 1) + sample.tlv(2, H("00000e10")) + sample.tv(4, 2) + sample.tv(5, auth)
                node = sample.sat(self.net, self.net, transform, spi, attrs, protocol=2)
                found = self.breaches([node], [sample.packet(1, spi, sample.tlv(2, bytes(length)))])
                self.assertEqual(not found, good, (number, transform, length))

    def test_iec_61850(self):
        spi, oid = H("30000001"), H("06052a03040506")
        keys = [sample.packet(1, spi, sample.tlv(1, bytes(20)))]
        for auth, cipher, delay, good in ((2, 3, 0, True), (5, 5, 100, True), (0, 3, 0, False), (6, 3, 0, False), (1, 6, 0, False),
                                          (1, 1, 101, False)):
            node = sample.sat_61850(oid, b"xyz", spi, auth, cipher, 600, sample.tv(2, delay) + sample.tlv(1, bytes(4)))
            self.assertEqual(not self.breaches([node], keys), good, (auth, cipher, delay))
        node = policy_message(isakmp.PULL, [(isakmp.SA, sample.group_sa([(isakmp.SAT, sample.sat_61850(
            oid, b"xyz", spi, 2, 4, 600, sample.tv(2, 50) + sample.tlv(1, H("00010203"))))]))]).payloads[0].find("SAT")
        self.assertEqual([(k.name, isakmp.number_of(k.value)) for k in node.kids if k.name not in ("OID", "OID Payload")], [
            ("Protocol-ID", 3), ("OID Length", 7), ("OID Payload Length", 3), ("SPI", 0x30000001), ("Auth Alg", 2),
            ("Enc Alg", 4), ("Remaining Lifetime", 600), ("SA_KDA", 50), ("SA_ATD", 0x10203)])

    def test_sender_ids(self):
        for bits in (8, 12, 16):
            for value, good in ((0, True), ((1 << bits) - 1, True), (1 << bits, False)):
                packets = [sample.packet(4, b"", sample.tv(1, bits) + sample.tlv(2, value.to_bytes(4, "big")))]
                node = self.one.sat_tek()
                self.assertEqual(not self.breaches([node[0]], [node[1]] + packets), good, (bits, value))

    def test_gap_and_order(self):
        node, keys = self.one.sat_tek()
        self.assertEqual(self.breaches([node], [keys], gap=sample.tv(1, 5) + sample.tv(2, 10)), [])
        self.assertNotEqual(self.breaches([node], [keys], gap=sample.tv(3, 1)), [])
        self.assertNotEqual(self.breaches([], []), [])
        self.assertNotEqual(self.breaches([node], [sample.packet(1, H("01020304"), sample.tlv(1, bytes(20)))]), [])

    def test_pushes(self):
        seq, sig = (isakmp.SEQ, bytes(4)), (isakmp.SIG, bytes(64))
        sa, kd = (isakmp.SA, sample.group_sa([(isakmp.SAT, self.one.sat_tek()[0])])), (isakmp.KD, sample.key_download(
            [self.one.sat_tek()[1]]))

        def deleted(*args):
            return isakmp.D, sample.delete(*args)
        sid = (isakmp.KD, sample.key_download([sample.packet(4, b"", sample.tv(1, 8) + sample.tlv(2, bytes(4)))]))
        array = sample.download_array([sample.lkh_key(1, 2, bytes(32))])
        download = (isakmp.KD, sample.key_download([sample.packet(3, bytes(16), sample.tlv(1, array))]))
        for payloads, good in (
                ([seq, sig], True), ([seq, sa, kd, sig], True), ([seq, deleted(2, 1, [bytes(4)]), sig], True),
                ([seq, deleted(2, 2, [b"abcd", b"efgh"]), deleted(2, 0, [bytes(16)]), sa, kd, sig], True),
                ([seq, deleted(2, 0, [bytes(4)]), sig], True), ([seq, deleted(2, 0, [bytes(8)]), sig], False),
                ([seq, deleted(0, 1, [bytes(4)]), sig], False), ([seq, deleted(2, 3, [bytes(4)]), sig], True), ([seq, deleted(2, 4, [bytes(4)]), sig], False),
                ([seq, deleted(2, 1, [bytes(16)]), sig], False), ([seq, sa, sig], False), ([seq, kd, sa, sig], False),
                ([sa, kd, sig], False), ([seq, sa, kd], False), ([seq, sa, sid, sig], False), ([seq, sa, download, sig], False)):
            self.assertEqual(not policy.breaches(policy_message(isakmp.PUSH, payloads)), good, [p[0] for p in payloads])
        self.assertNotEqual(policy.breaches(policy_message(isakmp.PUSH, [seq, sig], flags=3)), [])
        self.assertNotEqual(policy.breaches(policy_message(isakmp.PUSH, [seq, sig], mid=1)), [])


class Packets(unittest.TestCase):
    """ESP in every transform."""

    def suites(self):
        for number, row in espkeys.TRANSFORMS.items():
            for integrity in (0,) if row.combined else (1, 2, 5, 6, 7, 9):
                for esn in (False, True):
                    yield suite.Suite(transform=number, tek_bits=(128, 192, 256)[number % 3], integrity=integrity, esn=esn)

    def read(self, one, packets, ends=("10.0.1.2", "10.0.2.2"), entries=None):
        packets = [sample.ip(*ends, 50, p) for p in packets]
        return gdoi.read(frames_of_packets(packets), {"entries": entries or one.entries()})

    def test_every_transform(self):
        inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes(33))
        for chosen in self.suites():
            one = sample.Conversation(3, chosen=chosen)
            packets = [one.esp(n, inner) for n in (1, 2)]
            read = self.read(one, packets + [alter(packets[0], spot) for spot in (-1, 4, 9, len(packets[0]) // 2)])
            self.assertEqual([m.checks["ICV"] for m in read], ["ok"] * 2 + ["bad"] * 4, chosen)
            self.assertEqual([m.inner for m in read[:2]], [inner] * 2)
            self.assertEqual([m.breaches for m in read], [[]] * 6)
            for field in ("cipher_key", "integrity_key"):
                entries = one.entries()
                if field in entries[3] and not (field == "cipher_key" and not espkeys.TRANSFORMS[chosen.transform].combined):
                    entries[3][field] = flipped(entries[3][field])
                    self.assertEqual(self.read(one, packets, entries=entries)[0].checks["ICV"], "bad", (chosen, field))
            entries = one.entries()
            entries[3]["esn"] = not chosen.esn
            self.assertEqual(self.read(one, packets, entries=entries)[0].checks["ICV"], "bad", chosen)

    def test_ipv6(self):
        ends = "2001:db8:1::2", "2001:db8:2::2"
        inner = sample.ipv6(*ends, 17, bytes(50))
        for number, integrity in ((20, 0), (12, 5), (23, 0)):
            one = sample.Conversation(4, chosen=suite.Suite(transform=number, integrity=integrity))
            packet = one.esp(1, inner)
            read = self.read(one, [packet], ends)
            self.assertEqual((read[0].checks["ICV"], read[0].inner, read[0].src), ("ok", inner, ends[0]))
            parts = sample.fragments(sample.ip(*ends, 50, packet), 32)
            read = gdoi.read(frames_of_packets(parts[::-1]), {"entries": one.entries()})
            self.assertEqual([m.kind for m in read], ["fragment"] * (len(parts) - 1) + ["ESP"])
            self.assertEqual(read[-1].inner, inner)

    def test_transport_mode(self):
        one = sample.Conversation(5, chosen=suite.Suite(transform=12, integrity=5, mode=2))
        data = bytes(range(1, 40))
        self.assertEqual(self.read(one, [one.esp(1, data)])[0].inner, data)

    def test_upper_half_of_the_sequence_number(self):
        for number, integrity in ((20, 0), (23, 0), (12, 5), (11, 2), (15, 0)):
            one = sample.Conversation(6, chosen=suite.Suite(transform=number, integrity=integrity, esn=True))
            inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes(20))
            base = 1 << 32
            order = [base - 20, base - 1, base + 1, base - 2, base + 500, base + 450, base + 600]
            packets = [one.esp(n, inner, one.iv(n & 0xfffff)) for n in order]
            read = self.read(one, packets + packets[:1] + [one.esp(5 * base, inner, one.iv(9))])
            self.assertEqual([m.checks["ICV"] for m in read], ["ok"] * 8 + ["bad"], number)

    def test_ivs(self):
        inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes(20))
        for number, row in espkeys.TRANSFORMS.items():
            if not row.iv:
                continue
            for bits in (8, 12, 16):
                chosen = suite.Suite(transform=number, integrity=0 if row.combined else 2, sid_bits=bits)
                one = sample.Conversation(7, chosen=chosen)
                packets = [one.esp(1, inner), one.esp(2, inner), one.esp(3, inner, one.iv(1))]
                read = self.read(one, packets + packets[:1])
                self.assertEqual([m.checks["IV used once"] for m in read], ["ok", "ok", "bad", "ok"], number)
                if row.counter:
                    other = alter(one.iv(4), bits // 8 - 1)
                    read = self.read(one, packets[:2] + [one.esp(4, inner, other)])
                    self.assertEqual([m.checks["SID of the IV"] for m in read], ["ok", "ok", "bad"], (number, bits))
                else:
                    self.assertNotIn("SID of the IV", read[0].checks)

    def test_an_iv_under_another_key_is_another(self):
        inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes(20))
        two = [sample.Conversation(n, chosen=suite.Suite()) for n in (1, 2)]
        two[1].tek_spi, two[1].sid = two[0].tek_spi, two[0].sid
        read = self.read(two[0], [one.esp(1, inner) for one in two], entries=two[0].entries() + two[1].entries())
        self.assertEqual([m.checks["IV used once"] for m in read], ["ok", "ok"])

    def test_xcbc(self):
        key = bytes(range(16))
        for size, want in ((0, "75f0251d528ac01c4573dfd5"), (3, "5b376580ae2f19afe7219cee"), (16, "d2a246fa349b68a79998a439")):
            self.assertEqual(espkeys.xcbc(key, bytes(range(size))).hex(), want)    # RFC 3566 section 4

    def test_padding_and_length(self):
        one = sample.Conversation(8, chosen=suite.Suite())
        inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes(20))
        head, iv = one.tek_spi + bytes(3) + b"\1", one.iv(1)
        for tail, error, breach in ((b"\1\2\2\4", None, False), (b"\2\1\2\4", "ESP padding", False), (b"\xff\4", "Pad Length", False),
                                    (b"\1\1\4", None, True)):
            sealed = AESGCM(one.tek[:-4]).encrypt(one.tek[-4:] + iv, inner + tail, head)
            read = self.read(one, [head + iv + sealed])[0]
            self.assertEqual((read.checks["ICV"], bool(read.error), (read.error or "")[:len(error or "")] == (error or "")),
                             ("ok", bool(error), True), tail)
            if not error:
                self.assertEqual(bool(read.breaches), breach)


class Repetitions(unittest.TestCase):
    """A frame that came before, unless it is too short for a header."""

    def test_repeats(self):
        key = sample.header(CI, CR, 1, isakmp.IDENTITY_PROTECTION, 0, 0, 28)
        for octets, port, want in ((key, 848, 1), (key[:27], 848, 0), (bytes(range(1, 9)), 4500, 1), (bytes(range(1, 8)), 4500, 0)):
            frame = sample.udp("192.0.2.1", "192.0.2.2", octets, port, port)
            got = gdoi.read([capfile.Frame(number, "wan", 101, frame) for number in (1, 2)])
            self.assertEqual([m.repeats for m in got], [0, want], (octets, port))


class AnotherVersion(unittest.TestCase):
    """IKEv2, and what looks like it."""

    def read(self, octets, port=500):
        return gdoi.read([capfile.Frame(1, "wan", 101, sample.udp("192.0.2.1", "192.0.2.2", octets, port, port))])[0]

    @staticmethod
    def message(first, chain, exchange=34, length=None):
        size = 28 + len(chain) if length is None else length
        return CI + CR + bytes([first, 0x20, exchange, 8]) + bytes(4) + size.to_bytes(4, "big") + chain

    def test_chain(self):
        chain = generic(34, b"proposals") + generic(40, b"key") + generic(0, b"nonce")
        got = self.read(self.message(33, chain))
        self.assertEqual((got.kind, got.error, got.encrypted), ("IKEv2", None, False))
        self.assertEqual([(p.number, p.offset, p.length) for p in got.payloads], [(33, 28, 13), (34, 41, 7), (40, 48, 9)])

    def test_sealed(self):
        got = self.read(self.message(41, generic(46, b"what") + generic(35, bytes(40)), 37))
        self.assertEqual((got.kind, got.error, got.encrypted, len(got.payloads)), ("IKEv2", None, True, 2))

    def test_every_cut(self):
        octets = self.message(33, generic(34, b"proposals") + generic(0, b"key"))
        for size in range(28, len(octets)):
            got = self.read(octets[:size])
            self.assertEqual((got.kind, bool(got.error)), ("IKEv2", True), size)

    def test_what_looks_like_it(self):
        shifted = bytes(8) + H("8cba72dda29407c6dd451ee04b23ab51051002010000000000") + bytes(60)     # a marker too many
        for octets, port in ((shifted, 4500), (self.message(33, b"", length=27), 848), (self.message(33, b"", length=1 << 16), 848),
                             (self.message(8, b""), 848), (self.message(33, b"", 33), 848)):
            self.assertNotEqual(self.read(octets, port).kind, "IKEv2")


class BrokenOctets(unittest.TestCase):
    """Nothing on the wire may make the decoder raise."""

    def test_random(self):
        rng = random.Random(1)
        for _ in range(3000):
            data = bytearray(rng.randbytes(rng.randrange(0, 120)))
            if len(data) > 28 and rng.random() < 0.8:
                data[16] = rng.choice((1, 5, 8, 10, 11, 12, 15, 16, 17, 18, 22))
                data[18] = rng.choice((2, 4, 5, 32, 33, 35, 77))
                data[19] = rng.choice((0, 0, 0, 1))
                data[24:28] = len(data).to_bytes(4, "big")
                if len(data) > 32:
                    data[29:32] = bytes([0]) + (len(data) - 28).to_bytes(2, "big")
            self.feed([sample.udp("192.0.2.1", "192.0.2.2", bytes(data))], {})

    def test_altered(self):
        rng = random.Random(2)
        for seed in range(60):
            one = sample.Conversation(seed)
            packets = [packet for _, packet in one.datagrams(one.messages())]
            for _ in range(4):
                spot = rng.randrange(len(packets))
                data = bytearray(packets[spot][28:])
                if rng.random() < 0.3:
                    data = data[:rng.randrange(len(data))]
                else:
                    for _ in range(rng.randrange(1, 4)):
                        data[rng.randrange(len(data))] = rng.randrange(256)
                packets[spot] = sample.udp(one.member, one.server, bytes(data))
            self.feed(packets, {"entries": one.entries()})

    def test_every_cut_of_every_plain_message(self):
        one = sample.Conversation(5)
        for message in one.messages():
            for size in range(len(message.octets)):
                head = sample.header(CI, CR, message.first, message.exchange, 0, message.mid, 28 + size)
                self.feed([sample.udp("192.0.2.1", "192.0.2.2", head + message.octets[:size])], {})

    def test_packets(self):
        rng = random.Random(3)
        one = sample.Conversation(3)
        for _ in range(2000):
            packet = bytearray(sample.ipv4("10.0.1.2", "10.0.2.2", 50, one.esp(1, rng.randbytes(40))))
            packet[rng.randrange(len(packet))] = rng.randrange(256)
            self.feed([bytes(packet[:rng.randrange(len(packet) + 1)])], {"entries": one.entries()})

    def feed(self, packets, keys):
        for message in gdoi.read([capfile.Frame(n, "wan", 101, p) for n, p in enumerate(packets, 1)], keys):
            self.assertNotIn("decoder failed", message.error or "")
            for _ in message.leaves:
                pass


if __name__ == "__main__":
    unittest.main()
