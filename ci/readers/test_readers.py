"""Tests that the readers notice a disagreement: a folder that is right, and folders with one thing wrong."""

import copy
import json
import os
import shutil
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

    def folder(self, edit=None, keys=None):
        capture = sample.pcapng(self.packets, ("wan", "lan1", "lan2"))
        entries = {"entries": self.one.entries()}
        frames = capfile._pcapng(capture)  # pylint: disable=protected-access
        messages = [copy.deepcopy(as_message(m)) for m in gdoi.read(frames, entries)]
        if edit:
            edit(messages)
        nodes = [{"address": "10.0.%d.2" % n, "name": "host%d" % n, "role": "host"} for n in (1, 2)]
        for name, value in (("keys.json", keys or entries), ("messages.json", {"nodes": nodes, "messages": messages}),
                            ("spec.json", {"id": "made/up"})):
            with open(os.path.join(self.place, name), "w", encoding="utf-8") as file:
                json.dump(value, file)
        for name in ("capture.pcapng", "phase1.pcapng"):
            with open(os.path.join(self.place, name), "wb") as file:
                file.write(capture)
        return folders.find([self.place])

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

    def test_compare_notices_wrong_keys(self):
        entries = self.one.entries()
        entries[0]["first_iv"] = "00" * 16
        self.assertNotEqual(self.problems(compare, None, {"entries": entries}), [])

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


if __name__ == "__main__":
    unittest.main()
