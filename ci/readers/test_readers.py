"""Tests that the readers notice a disagreement: a folder that is right, and folders with one thing wrong."""

import copy
import itertools
import json
import os
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import capfile     # noqa: E402
import compare     # noqa: E402
import esp         # noqa: E402
import folders     # noqa: E402
import gdoi        # noqa: E402
import sample      # noqa: E402
import suite       # noqa: E402
import wireshark   # noqa: E402


def as_field(node):
    out = {"name": node.name, "offset": node.offset, "length": node.length}
    if node.kind == "endpoint":
        out["value"] = compare.endpoint_text(node)
    elif isinstance(node.value, bytes):
        out["value"] = node.value.hex()
    elif node.value is not None:
        out["value"] = str(node.value)
    if node.kids and node.kind != "endpoint":
        out["fields"] = [as_field(kid) for kid in node.kids]
    return out


def as_message(message):
    """A message as messages.json has it."""
    out = {"frame": message.number, "at": "2026-01-01T00:00:00Z", "link": message.link, "from": message.src,
           "to": message.dst, "kind": message.kind, "header": message.header,
           "payloads": [as_field(p) for p in message.payloads], "encrypted": message.encrypted,
           "decrypted": message.decrypted,
           "checks": [{"name": n, "result": r} for n, r in message.checks.items() if compare.HARNESS_CHECKS.match(n)]}
    return {name: value for name, value in out.items() if value or name == "frame"}


class Readers(unittest.TestCase):

    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.place)
        self.one = sample.Conversation(7, chosen=suite.Suite())
        self.packets = [(0, data) for _, data in self.one.datagrams(self.one.messages())]
        for number in (1, 2):
            data = bytes([number]) * 40
            sent = sample.ipv4("10.0.1.2", "10.0.2.2", 17, data, 64)
            inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, data, 63)
            got = sample.ipv4("10.0.1.2", "10.0.2.2", 17, data, 62)
            sealed = sample.ipv4("10.0.1.2", "10.0.2.2", 50, self.one.esp(number, inner))
            self.packets += [(1, sent), (0, sealed), (2, got)]

        self.entries, self.spec = self.one.entries(), {"id": "made/up"}

    def folder(self, edit=None, keys=None):
        capture = sample.pcapng(self.packets, ("wan", "lan1", "lan2"))
        entries = {"entries": self.entries}
        frames = capfile._pcapng(capture)  # pylint: disable=protected-access
        messages = [copy.deepcopy(as_message(m)) for m in gdoi.read(frames, entries)]
        if edit:
            edit(messages)
        nodes = [{"address": "10.0.%d.2" % n, "name": "h%d" % n, "role": "host"} for n in (1, 2)]
        nodes += [{"address": address, "name": role.lower(), "role": role}
                  for role, address in (("KS", self.one.server), ("GM", self.one.member))]
        for name, value in (("keys.json", keys or entries), ("messages.json", {"nodes": nodes, "messages": messages}),
                            ("spec.json", self.spec)):
            with open(os.path.join(self.place, name), "w", encoding="utf-8") as file:
                json.dump(value, file)
        for name, octets in (("capture.pcapng", capture), ("phase1.pcapng", self.of_ipsec())):
            with open(os.path.join(self.place, name), "wb") as file:
                file.write(octets)
        return folders.find([self.place])

    def of_ipsec(self):
        """The capture with DOI and Situation of IPsec in messages 1 and 2, as tshark needs them."""
        out = []
        for link, data in self.packets:
            at = (40 if data[0] >> 4 == 6 else 20) + 8
            if data[at + 16:at + 19] == b"\1\x10\2":
                data = data[:at + 32] + struct.pack(">II", 1, 1) + data[at + 40:]
            out.append((link, data))
        return sample.pcapng(out, ("wan", "lan1", "lan2"))

    def problems(self, reader, *args, **more):
        return reader.run(self.folder(*args, **more)).problems

    def test_right(self):
        self.assertEqual(self.problems(compare), [])
        if esp.ESP is not None:
            tally = esp.run(self.folder())
            self.assertEqual((tally.problems, tally.counts["inner packets as a host got them"]), ([], 2))

    def test_compare_notices(self):
        def edits():
            yield "kind", lambda m: m[6].update(kind="PULL3")
            yield "header", lambda m: m[0]["header"].update(length=1)
            yield "check", lambda m: m[10]["checks"][0].update(result="bad")
            yield "value", lambda m: m[0]["payloads"][0]["fields"][0].update(value="1")
            yield "offset", lambda m: m[2]["payloads"][1].update(offset=30)
            yield "attribute", lambda m: m[0]["payloads"][0]["fields"][2]["fields"][4]["fields"].pop()
            yield "payload", lambda m: m[8]["payloads"].pop()
            yield "frame", lambda m: m.pop()
            yield "error", lambda m: m[9].update(error="payload length")
            yield "not decrypted", lambda m: m[9].update(decrypted=False, payloads=[])
            yield "ICV", lambda m: m[14]["checks"][0].update(result="bad")
        for name, edit in edits():
            self.assertNotEqual(self.problems(compare, edit), [], name)

    def test_compare_notices_ikev2(self):
        chain = bytes([34, 0, 0, 8]) + b"SA  " + bytes([0, 0, 0, 6]) + b"KE"
        head = bytes(range(16)) + bytes([33, 0x20, 34, 8]) + bytes(4) + (28 + len(chain)).to_bytes(4, "big")
        self.packets.insert(0, (0, sample.udp(self.one.member, self.one.server, head + chain, 500, 500)))

        def edits():
            yield "kind", lambda m: m[0].update(kind="unknown")
            yield "header", lambda m: m[0]["header"].update(version=16)
            yield "encrypted", lambda m: m[0].update(encrypted=True)
            yield "payload", lambda m: m[0]["payloads"].pop()
            yield "offset", lambda m: m[0]["payloads"][1].update(offset=30)
        self.assertEqual(self.problems(compare), [])
        for name, edit in edits():
            self.assertNotEqual(self.problems(compare, edit), [], name)

    def test_compare_notices_wrong_keys(self):
        entries = self.one.entries()
        entries[0]["first_iv"] = "00" * 16
        self.assertNotEqual(self.problems(compare, None, {"entries": entries}), [])

    def test_compare_notices_what_only_the_second_decoder_checks(self):
        for index, field, want in ((0, "skeyid_d", "SKEYID_d/a/e"), (1, "key_bits", "key_bits is 1"),
                                   (3, "key_bits", "key_bits is 1"), (3, "direction", "direction is 1"),
                                   (4, "bits", "sids entry"), (3, "mode", "mode is 2"), (3, "source", "source is 1")):
            keys = copy.deepcopy(self.entries)
            keys[index][field] = {"skeyid_d": "11" * 32, "mode": 2}.get(field, 1)
            self.assertTrue(any(want in p for p in self.problems(compare, None, {"entries": keys})), (index, field))

    def test_compare_knows_who_breaks_rules(self):
        messages = self.one.messages()
        wrong = sample.Conversation(7, chosen=suite.Suite())
        wrong.tek_auth = b"no key for this"     # a KD with a key that its SAT does not call for
        wrong.sats[0] = wrong.sat_tek()
        messages[6:10] = wrong.registration()
        self.packets[:13] = [(0, data) for _, data in self.one.datagrams(messages)]
        keys = copy.deepcopy(self.entries)
        keys[3]["integrity_key"] = wrong.tek_auth.hex()

        def breach(spec, note=None):
            self.spec = dict({"id": "made/up"}, **spec)
            found = self.problems(compare, lambda m: m[9].update(note=note), {"entries": keys})
            return [p for p in found if "TEK_INTEGRITY_KEY" in p]
        self.assertEqual([len(breach(spec)) for spec in ({}, {"dut": "both"}, {"dut": "KS"}, {"dut": "GM"}, {"negative": True})],
                         [1, 1, 1, 0, 0])
        self.assertEqual(breach({"dut": "KS"}, "what the tester did"), [])

    def test_compare_notices_ivs(self):
        inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes([2]) * 40, 63)
        right = list(self.packets)
        strange = (self.one.sid ^ 1) << 52 | 2
        for text, packet in (("IV used once", self.one.esp(2, inner, self.one.iv(1))),
                             ("SID of the IV", self.one.esp(2, inner, strange.to_bytes(8, "big")))):
            self.packets = right[:-2] + [(0, sample.ipv4("10.0.1.2", "10.0.2.2", 50, packet)), right[-1]]
            self.assertTrue(any(text in p for p in self.problems(compare)), text)
        # in transport mode the host's address is outside
        self.one.suite.mode, self.entries = 2, sample.Conversation.entries(self.one)
        packet = self.one.esp(2, bytes([1]) * 40, strange.to_bytes(8, "big"))
        self.packets = right[:-2] + [(0, sample.ipv4("10.0.1.2", "10.0.2.2", 50, packet)), right[-1]]
        self.assertTrue(any("SID of the IV" in p for p in self.problems(compare)))
        # a member of the tester's, whose hosts have no link here, takes IVs as it likes
        inner = sample.ipv4("10.0.9.2", "10.0.2.2", 17, bytes([2]) * 40, 63)
        packet = self.one.esp(2, inner, strange.to_bytes(8, "big"))
        self.packets = right[:-2] + [(0, sample.ipv4("10.0.9.2", "10.0.2.2", 50, packet)), right[-1]]
        self.assertFalse(any("SID of the IV" in p for p in self.problems(compare)))

    @unittest.skipIf(esp.ESP is None, "Scapy is missing")
    def test_esp_notices(self):
        right = list(self.packets)
        sent, sealed, got = right[-3:]
        inner = sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes([2]) * 40, 63)

        def cases():
            yield "sent something else", [sent[:1] + (sent[1][:-1] + b"x",), sealed, got]
            yield "got something else", [sent, sealed, got[:1] + (got[1][:-1] + b"x",)]
            yield "TTL", [sent, sealed, (2, sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes([2]) * 40, 63))]
            yield "ECN", [sent, sealed, (2, sample.ipv4("10.0.1.2", "10.0.2.2", 17, bytes([2]) * 40, 62, 3))]
            yield "IV again", [sent, (0, sample.ipv4("10.0.1.2", "10.0.2.2", 50, self.again(inner))), got]
            yield "outer address", [sent, (0, sample.ipv4("10.0.1.9", "10.0.2.2", 50, sealed[1][20:])), got]
            yield "checksum", [sent, sealed, (2, got[1][:10] + b"\0\0" + got[1][12:])]
        for name, last in cases():
            self.packets = right[:-3] + last
            self.assertNotEqual(self.problems(esp), [], name)
        self.packets = right
        self.assertNotEqual(self.problems(esp, lambda m: m[14]["checks"][0].update(result="bad")), [])

    def test_esp_in_udp(self):
        for version, mode in ((4, 3), (6, 3), (4, 4)):
            self.one.suite.mode = mode
            self.entries = sample.Conversation.entries(self.one)
            ends = ("10.0.1.2", "10.0.2.2") if version == 4 else ("2001:db8:1::2", "2001:db8:2::2")
            data = sample.udp(*ends, bytes([3]) * 30, 5000, 5001)
            protected = capfile.parse_ip(data).payload if mode == 4 else data
            sealed = sample.udp(*ends, self.one.esp(3, protected), 4500, 4500)
            at = 26 if version == 4 else 46
            for name, packet, wrong in (("right", sealed, 0), ("none", sealed[:at] + b"\0\0" + sealed[at + 2:], version == 6),
                                        ("wrong", sealed[:at] + b"\x12\x34" + sealed[at + 2:], 1),
                                        ("marker", sealed[:at + 2] + bytes(4) + sealed[at + 6:], None)):
                tally = esp.run(self.in_udp(packet))
                if wrong is None:
                    self.assertNotIn("ESP packets in UDP", tally.counts)
                    continue
                self.assertEqual((tally.counts["ESP packets in UDP"], tally.counts["opened, ICV right"]), (1, 1), (version, mode, name))
                self.assertEqual(bool(tally.problems), bool(wrong), (version, mode, name))

    def in_udp(self, packet):
        """A folder of the conversation and one packet."""
        self.packets = [p for p in self.packets if p[0] == 0 and capfile.parse_ip(p[1]).dport == 848] + [(0, packet)]
        return self.folder()

    def again(self, inner):
        """A packet with sequence number 2 and the IV of packet 1."""
        return self.one.esp(2, inner, self.one.iv(1))

    @unittest.skipIf(shutil.which("tshark") is None or shutil.which("mergecap") is None, "tshark is missing")
    def test_wireshark_notices_wrong_keys(self):
        found = self.folder()
        tally = wireshark.run(found)
        self.assertEqual([p for p in tally.problems if "ICV" in p], [])
        self.assertEqual(tally.counts.get("ESP with the ICV right"), 2)
        lines = wireshark.esp_lines

        def other(entry):
            return [line.replace(entry["cipher_key"][:8], "00000000") for line in lines(entry)]
        wireshark.esp_lines = other
        try:
            tally = wireshark.run(found)
        finally:
            wireshark.esp_lines = lines
        self.assertEqual(len([p for p in tally.problems if "ICV" in p]), 2)

    @unittest.skipIf(shutil.which("tshark") is None or shutil.which("mergecap") is None, "tshark is missing")
    def test_wireshark_reads_every_suite(self):
        ends = ("192.0.2.21", "192.0.2.10"), ("2001:db8::21", "2001:db8::10")
        phase1 = itertools.product(((7, 128), (7, 192), (7, 256), (5, 0)), (1, 2, 4, 5, 6))
        groups = itertools.cycle((1, 16, 19, 21))
        chosen = [suite.Suite(cipher=c, bits=b, hash=h, group=g) for ((c, b), h), g in zip(phase1, groups)]
        traffic = [(3, 0, 1), (3, 0, 2), (11, 0, 6), (12, 128, 5), (12, 192, 7), (12, 256, 1), (13, 128, 5), (18, 128, 0),
                   (19, 192, 0), (20, 256, 0), (23, 128, 0), (14, 128, 0), (12, 128, 2), (2, 0, 2)]
        for one, (number, bits, integrity) in zip(chosen, traffic):
            one.transform, one.tek_bits, one.integrity = number, bits, integrity
        chosen[12].esn = True
        self.packets, self.entries = [], []
        for seed, one in enumerate(chosen):
            talk = sample.Conversation(seed, *ends[seed % 2], chosen=one)
            self.packets += [(0, data) for _, data in talk.datagrams(talk.messages())]
            for version in ends:
                inner = sample.udp(*version, bytes(20), 5000, 5001)
                self.packets.append((0, sample.ip(*version, 50, talk.esp(":" in version[0] or 2, inner))))
            self.entries += talk.entries()
        tally = wireshark.run(self.folder())
        self.assertEqual(tally.problems, [])
        counts = tally.counts
        for kind in ("MM1", "MM5", "MM6", "PULL2", "PULL4", "INFO"):
            self.assertEqual(counts["messages the same, " + kind], 20)
        self.assertEqual([counts.get(name) for name in (
            "ESP packets", "ESP with the ICV right", "ESP decrypted, ICV not looked at",
            "ESP packets of a transform that tshark does not have", "inner packets the same")], [40, 34, 2, 4, 36])


if __name__ == "__main__":
    unittest.main()
