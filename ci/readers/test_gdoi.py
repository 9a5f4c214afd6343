"""Tests of the second decoder: the worked values of the wire digest, messages of its own encoder, broken octets."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import capfile   # noqa: E402
import gdoi      # noqa: E402
import sample    # noqa: E402

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
        self.same(gdoi.skeyid_psk(NAME, b"gdoi-psk", NI, NR), SKEYID.hex())
        self.same(gdoi.skeyid_signature(NAME, NI, NR, GXY),
                  "f2655e0beb3e7887b01e110fea19e6188b2b74e695941866d7a42cbcfb55e000")
        d, a, e = gdoi.skeyid_dae(NAME, SKEYID, GXY, CI, CR)
        self.same(d, "c9d970c6e9c6d124b8400de9211285e9fabb6457c0c948590428a2fc0e6e990b")
        self.same(a, SKEYID_A.hex())
        self.same(e, "9c69f4e7f096dd355a5dc19f5762f4d796bf28f5cd360495ce2fd76d24d24fe7")

    def test_ivs(self):
        self.same(gdoi.digest(NAME, GXI, GXR)[:16], "d8377945f0e5fb139731eb0178caab8f")
        last = H("f0e0d0c0b0a09080706050403020100f")
        self.same(gdoi.phase2_iv(NAME, last, 0x01020304, 16), "9298874f877ec0cf185f14b4288f2c5c")

    def test_phase1_sa(self):
        attrs = sample.tv(1, 7) + sample.tv(14, 256) + sample.tv(2, 4) + sample.tv(3, 1) + sample.tv(4, 14) + \
            sample.tv(11, 1) + sample.tv(12, 28800)
        self.same(generic(0, sample.phase1_sa([attrs])), PHASE1_SA.hex())
        nodes, _, error, remarks = gdoi.parse_payloads(CI + bytes(8) + H("0110020000000000") + bytes(4) + PHASE1_SA, 0)
        self.assertEqual((error, remarks), (None, []))
        transform = nodes[0].find("P").find("T")
        self.assertEqual([transform.attribute(n) for n in (1, 14, 2, 3, 4, 11, 12)], [7, 256, 4, 1, 14, 1, 28800])

    def test_hash_i(self):
        value = gdoi.hash_i(NAME, SKEYID, GXI, GXR, CI, CR, PHASE1_SA[4:], sample.ident(1, H("c0000201")))
        self.same(value, "472e4bfd5ec5055118ac7f0648e4182c16ea8e0026c4a987a761a3562ef38207")

    def test_hash_1(self):
        rest = generic(gdoi.ID, NI) + generic(0, sample.ident(11, H("000004d2")))
        self.same(gdoi.prf(NAME, SKEYID_A, MID, rest),
                  "b7d06d0b7f469764d7f94e53a251f94ee8c1e5ef3a4e51c9800f79585c5d6476")

    def test_group_sa(self):
        kek = sample.tv(2, 3) + sample.tv(3, 128) + sample.tlv(4, H("00015180")) + sample.tv(5, 3) + sample.tv(6, 1) + \
            sample.tv(7, 2048)
        sak = sample.sak(KEK_SPI, sample.endpoint(1, 848, H("c000020a")), sample.endpoint(1, 848, H("ef010101")), kek)
        self.same(generic(gdoi.GAP, sak), SAK.hex())
        self.same(generic(gdoi.SAT, sample.tv(1, 5) + sample.tv(2, 10)), GAP.hex())
        net = sample.endpoint(4, 0, H("0a000000ff000000"))
        tek = sample.tv(1, 1) + sample.tlv(2, H("00000e10")) + sample.tv(4, 1) + sample.tv(6, 256) + \
            sample.tv(14, 4) + sample.tv(15, 3)
        self.same(generic(0, sample.sat(net, net, 20, H("9abcdef0"), tek)), SAT.hex())
        self.same(generic(0, sample.group_sa([(15, SAK[4:]), (22, GAP[4:]), (16, SAT[4:])])),
                  (SA_HEADER + SAK + GAP + SAT).hex())

    def test_hash_2(self):
        rest = generic(gdoi.SA, NR) + SA_HEADER + SAK + GAP + SAT
        self.same(gdoi.prf(NAME, SKEYID_A, MID, NI, rest),
                  "37468bc7ae9e15fd96d39ce9af03db6dcdef05a7c9fc3f773de338d39f896932")

    def test_hash_3(self):
        request = generic(0, sample.tv(3, 2))
        self.same(gdoi.prf(NAME, SKEYID_A, MID, NI + NR, request),
                  "c054802045bd7c4b0ebd7abd0002a8a86ac161f97571c85738a87b4398696113")
        self.same(gdoi.prf(NAME, SKEYID_A, MID, NI + NR),
                  "3acd80e2647723e6842ab99f70c1dabfb4cc29e04063a49f448a6e8c16238417")

    def test_kd(self):
        keys = sample.key_download([
            sample.packet(2, KEK_SPI, sample.tlv(1, bytes(range(0x40, 0x60)))),
            sample.packet(1, H("9abcdef0"), sample.tlv(1, bytes(range(0x60, 0x84)))),
            sample.packet(4, b"", sample.tv(1, 8) + sample.tlv(2, H("00000005")))])
        self.same(generic(0, keys), KD.hex())

    def test_hash_4(self):
        self.same(gdoi.prf(NAME, SKEYID_A, MID, NI + NR, SEQ + KD),
                  "0724f9e8457f0c8dee10872bc6126134f7bd30eb62432985fef691fb8a9d9c39")

    def test_push(self):
        parts = sample.chain([(gdoi.SEQ, H("00000001")), (gdoi.D, sample.delete(2, 1, [bytes(4)])),
                              (gdoi.D, sample.delete(2, 0, [bytes(16)])), (gdoi.SIG, bytes(256))])
        covered = parts[:-260]
        self.same(covered, "0c000008000000010c000010000000020104000100000000"
                           "0900001c000000020010000100000000000000000000000000000000")
        length = 28 + len(parts)
        pad = -len(parts) % 16
        self.assertEqual((length, pad), (340, 8))
        for size, want in ((length, "19a0a71494c90b0c0ade0936951c94576c10fadefd1a1bc58762ae1a9595d885"),
                           (length + pad, "894c5d6a8364e364493fa164f5ce6111fe2d4319f1199b375684b487bc9757d1")):
            head = sample.header(KEK_SPI[:8], KEK_SPI[8:], gdoi.SEQ, gdoi.PUSH, 1, 0, size)
            self.same(gdoi.rekey_digest(NAME, head, covered), want)

    def test_ack(self):
        base, ident = bytes(range(0x50, 0x60)), generic(0, sample.ident(1, H("c0000201")))
        rest = generic(gdoi.ID, H("00000001")) + ident
        for bits, key, value in (
                (512, "ef5008116c2bd4ee0612485122a78bdea45d825c972f807c54e4c610e6b6aeff",
                 "a92a8ea5a46b8ea8cba16d45bc905c7d49dfa43645c60122243da8bd5d001448"),
                (256, "a00ae2deedf42425202a4d5233a3c9d4b55ec6f629425ba0c158ea3f1932d3ab",
                 "d23f95833a48474e52b5021dad383095c07e376323ff8b47d62174867ee48372"),
                (128, "e5e7c7e09783ce90f2050511602b24022f03a64e456805628f90bc386adb5687",
                 "47b171a1a78c4b441a286411cbb23cd9c612c2049c4f527a90cc93ca955e092f")):
            made = gdoi.ack_key(NAME, base, KEK_SPI, bits)
            self.same(made, key)
            self.same(gdoi.prf(NAME, made, rest), value)
        self.same(sample.header(KEK_SPI[:8], KEK_SPI[8:], gdoi.HASH, gdoi.PUSH_ACK, 0, 0, 28 + 36 + len(rest)),
                  "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7081023000000000000000054")

    def test_expanded_key(self):
        self.same(gdoi.expand("sha1", bytes(range(20)), 32),
                  "1e5fd6a5cbc98bd4c1fe20d5e5fb2ed1df330c93a33c043ca850a65fd7aeae17")

    def test_nat_d(self):
        self.same(gdoi.nat_d(NAME, CI, CR, H("c000020a"), 848),
                  "4855e3a992452f55ea33142336ebd6d47d0b1180ef44b8484a53e8b7620af5fd")


def frames_of(conversation):
    data = sample.pcapng([(0, packet) for _, packet in conversation.datagrams(conversation.messages())])
    return capfile._pcapng(data)  # pylint: disable=protected-access


class Conversations(unittest.TestCase):

    def test_whole(self):
        for seed in range(30):
            one = sample.Conversation(seed)
            read = gdoi.read(frames_of(one), {"entries": one.entries()})
            self.assertEqual([m.kind for m in read], [
                "MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "PULL1", "PULL2", "PULL3", "PULL4", "PUSH", "PUSH-ACK",
                "INFO"])
            for message in read:
                self.assertIsNone(message.error, message.kind)
                self.assertEqual(message.remarks, [], message.kind)
                self.assertEqual(set(message.checks.values()) - {"ok"}, set(), (seed, message.kind, message.checks))
                for _, offset, length, _ in message.leaves:
                    self.assertLessEqual(offset + length, len(message.plain))

    def test_without_keys(self):
        one = sample.Conversation(1)
        read = gdoi.read(frames_of(one), {})
        self.assertEqual([m.decrypted for m in read], [False] * 13)
        self.assertEqual([m.kind for m in read][:6], ["MM1", "MM2", "MM3", "MM4", "MM5", "MM6"])

    def test_repeated_and_rejected_messages_leave_the_chain_alone(self):
        one = sample.Conversation(2)
        packets = [packet for _, packet in one.datagrams(one.messages())]
        forged = bytearray(packets[7])
        forged[28 + 28 + 19] ^= 1
        order = packets[:7] + [packets[6], bytes(forged)] + packets[7:8] + [packets[7]] + packets[8:]
        read = gdoi.read(capfile._pcapng(sample.pcapng([(0, p) for p in order])), {"entries": one.entries()})
        self.assertEqual([m.kind for m in read][6:13], ["PULL1"] * 2 + ["PULL2"] * 3 + ["PULL3", "PULL4"])
        results = [list(m.checks.values())[0] for m in read[6:13]]
        self.assertEqual(results, ["ok", "ok", "bad", "ok", "ok", "ok", "ok"])
        self.assertEqual([m.repeats for m in read[6:11]], [0, 7, 0, 0, 10])

    def test_esp(self):
        one = sample.Conversation(3)
        inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes(30))
        packet = sample.ipv4("10.0.1.2", "10.0.2.2", 50, one.esp(1, inner))
        broken = packet[:-1] + bytes([packet[-1] ^ 1])
        read = gdoi.read(capfile._pcapng(sample.pcapng([(0, packet), (0, broken)])), {"entries": one.entries()})
        self.assertEqual([m.checks["ICV"] for m in read], ["ok", "bad"])
        self.assertEqual(read[0].inner, inner)


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
