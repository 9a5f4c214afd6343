#!/usr/bin/python3
"""Compares what the harness's decoder wrote into messages.json with what the second decoder reads."""

import functools
import ipaddress
import re
import sys

import capfile
import folders
import gdoi
import isakmp
import keymath

ID_NAMES = {
    1: "ID_IPV4_ADDR", 2: "ID_FQDN", 3: "ID_USER_FQDN", 4: "ID_IPV4_ADDR_SUBNET", 5: "ID_IPV6_ADDR",
    6: "ID_IPV6_ADDR_SUBNET", 7: "ID_IPV4_ADDR_RANGE", 8: "ID_IPV6_ADDR_RANGE", 9: "ID_DER_ASN1_DN",
    10: "ID_DER_ASN1_GN", 11: "ID_KEY_ID", 12: "ID_LIST", 13: "ID_OID",
}
# An LKH array that it cannot take apart does not make a message malformed for the harness, and a reserved field does not keep it from
# using one.
OPAQUE = re.compile(r"(LKH array of|reserved octet of an LKH|RESERVED2 of an LKH)")
HARNESS_CHECKS = re.compile(r"^(HASH.*|SIG(_[IR])?|ACK HASH|ICV|LKH root|LKH update)$")
UNCOMPARED = ("Fragment", "Body", "unreadable")    # shown by the harness in words or as a whole
BOUNDARIES = ("payload", "attribute", "packet", "ip")
CUT = re.compile(r"… \((\d+) octets\)$")


NUMBERED = re.compile(r"(\d+)\)?$")
IN_BRACKETS = re.compile(r"\((\d+)\)$")


@functools.lru_cache(maxsize=None)
def plain_name(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


@functools.lru_cache(maxsize=None)
def names_match(theirs, name, kind, number):
    a, b = plain_name(theirs), plain_name(name)
    if a == b or (a, b) in (("notifytype", "type"),):
        return True
    found = NUMBERED.search(theirs)
    return bool(found) and int(found.group(1)) == number and kind in ("attribute", "payload", "packet")


def same_name(theirs, node):
    """Whether the harness's name of a field means this node."""
    return theirs == node.name or names_match(theirs, node.name, node.kind, node.number)


def same_value(theirs, node):
    """Whether a text of the harness stands for the value of a node; None if there is nothing to compare."""
    if theirs is None or node.value is None:
        return None
    data = node.value if isinstance(node.value, (bytes, bytearray)) else None
    if (data.hex() if data is not None else str(node.value)) == theirs:
        return True
    cut = CUT.search(theirs)
    if cut and data is not None:
        return int(cut.group(1)) == len(data) and data.hex().startswith(theirs[:cut.start()])
    readings = set()
    tail = IN_BRACKETS.search(theirs)
    if tail:
        readings.add(int(tail.group(1)))
    if theirs.isdecimal():
        readings.add(int(theirs))
    if re.fullmatch(r"0x[0-9a-f]+", theirs):
        readings.add(int(theirs, 16))
    if isakmp.number_of(node.value) in readings:
        return True
    return data is not None and data == theirs.encode("utf-8", "replace")


def endpoint_text(node, octets=False):
    """An endpoint in the words that the harness has for it; octets: the address in hex."""
    kind, port, data = node.get("ID Type"), node.get("Port"), node.get("Data") or b""
    name = ID_NAMES.get(kind, "ID(%s)" % kind)
    text = [name]
    shown = data.hex() if octets else id_text(kind, data)
    if shown:
        text.append(shown)
    if port:
        text.append("port %d" % port)
    return " ".join(text)


def id_text(kind, data):
    """Identification data as text."""
    size = isakmp.ID_SIZES.get(kind)
    if size is not None and len(data) != size:
        return data.hex()
    try:
        if kind in (1, 5):
            return str(ipaddress.ip_address(data))
        if kind in (4, 6, 7, 8):
            half = len(data) // 2
            sign = "/" if kind in (4, 6) else "-"
            return str(ipaddress.ip_address(data[:half])) + sign + str(ipaddress.ip_address(data[half:]))
        if kind in (2, 3):
            return data.decode("utf-8")
    except (ValueError, UnicodeDecodeError):
        pass
    if kind == 11 and len(data) == 4:
        return str(int.from_bytes(data, "big"))
    return data.hex()


class Comparison:
    """One folder."""

    def __init__(self, folder, tally):
        self.folder, self.tally = folder, tally
        self.negative = bool(folder.spec.get("negative"))
        self.old = any(f.startswith("compat:") for f in folder.spec.get("features") or [])  # it plays an old daemon
        self.others = folder.spec.get("subject") == "interop"   # daemons that do as they like
        self.natted = False     # there is a NAT in the capture, so that NAT-D payloads do not fit what is seen
        self.agreed = 0
        self.roles, self.hosts, self.senders = {}, {}, set()

    def bad(self, frame, text):
        self.tally.problem(self.folder.name, frame, text)

    def run(self):
        theirs = self.folder.json("messages.json")
        if theirs is None:
            self.bad(0, "no messages.json")
            return
        try:
            frames = capfile.read(self.folder.file("capture.pcapng"))
        except (capfile.CaptureError, OSError) as err:
            self.bad(0, "capture.pcapng: %s" % err)
            return
        for node in theirs.get("nodes") or []:
            self.roles[node["address"]] = node["role"]
            self.hosts[node["address"]] = "lan" + node["name"].lstrip("host")
        self.senders = {(f.link, f.ip.src) for f in frames if f.ip is not None and self.hosts.get(f.ip.dst) != f.link}
        self.natted = any(frame.link == "nat" for frame in frames)
        self.messages(theirs.get("messages") or [], frames, self.folder.keys)

    def messages(self, theirs, frames, keys):
        reader = gdoi.Reader(keys)
        read = {frame.number: reader.frame(frame) for frame in frames}
        listed = {}
        for entry in theirs:
            if entry["frame"] in listed:
                self.bad(entry["frame"], "listed twice")
            listed[entry["frame"]] = entry
        for number in sorted(set(read) | set(listed)):
            if number not in listed:
                self.bad(number, "not in messages.json, second decoder: %s" % read[number].kind)
            elif number not in read:
                self.bad(number, "not in the capture")
            else:
                self.message(listed[number], read[number])
        self.tally.add("fields and boundaries", self.agreed)

    def message(self, theirs, mine):
        frame, tally = mine.number, self.tally
        if theirs["kind"] == "AH":
            tally.add("AH, which the second decoder does not read; Scapy does")
            return
        tally.add("messages " + mine.kind)
        broken, unread = bool(theirs.get("error")), bool(theirs.get("encrypted")) and not theirs.get("decrypted") and \
            (theirs["kind"] == "ESP" or not theirs.get("payloads"))
        my_broken, my_unread = bool(mine.error), mine.encrypted and not mine.decrypted and \
            (mine.kind == "ESP" or not mine.payloads)
        if (theirs.get("link") or "") != (mine.link or ""):
            self.bad(frame, "link %s, second decoder %s" % (theirs.get("link"), mine.link))
        for name, own in (("from", mine.src), ("to", mine.dst)):
            if theirs.get(name) and own and theirs[name] != own and not theirs[name].startswith((own + ":", "[" + own + "]:")):
                self.bad(frame, "%s %s, second decoder %s" % (name, theirs[name], own))
        if theirs["kind"] != mine.kind:
            both = unread and my_unread or broken and my_broken
            if not (broken and my_broken or both and theirs["kind"][:4] == "PULL" == mine.kind[:4]):
                self.bad(frame, "%s, second decoder %s" % (theirs["kind"], mine.kind))
        if (theirs.get("header") or None) != mine.header:
            self.bad(frame, "header %s, second decoder %s" % (theirs.get("header"), mine.header))
        ikev2 = theirs["kind"] == mine.kind == "IKEv2"
        if bool(theirs.get("encrypted")) != mine.encrypted and not (ikev2 and broken):
            self.bad(frame, "encrypted: %s, second decoder %s" % (bool(theirs.get("encrypted")), mine.encrypted))
        if (theirs.get("repeats") or 0) != mine.repeats:
            self.bad(frame, "repeats %s, second decoder %s" % (theirs.get("repeats"), mine.repeats))
        if ikev2:
            self.ikev2(theirs, mine, broken)
            return
        if (broken or unread) != (my_broken or my_unread):
            if my_broken and not broken and OPAQUE.match(mine.error):
                tally.add("LKH arrays that the harness shows as octets")
                return
            if broken and not my_broken and theirs["error"].startswith("inside: "):
                tally.add("something malformed inside, which the second decoder does not look into")
                return
            self.bad(frame, "%s, second decoder %s" % (
                theirs.get("error") or ("not decrypted" if unread else "well formed"),
                mine.error or ("not decrypted" if my_unread else "well formed")))
            return
        if broken or unread:
            tally.add("agreed bad or closed")
        if mine.remarks:
            tally.add("remarks of the second decoder")
        if broken != my_broken or unread != my_unread:
            return
        self.checks(theirs, mine, broken or unread)
        if mine.kind != "ESP" or not (unread or broken):
            self.trees(theirs.get("payloads") or [], mine, broken)

    def ikev2(self, theirs, mine, broken):
        """Of IKEv2 the second decoder reads no more than where payloads begin and end; the harness looks into them as well."""
        self.tally.add("IKEv2, by the chain of payloads")
        given, own = ([(p["offset"], p["length"]) for p in theirs.get("payloads") or []], [(p.offset, p.length) for p in mine.payloads])
        if mine.error and not broken or given != own[:len(given)] or len(given) != len(own) and not broken:
            self.bad(mine.number, "payloads %s, second decoder %s %s" % (given, own, mine.error or ""))

    def checks(self, theirs, mine, loose):
        given = {c["name"]: c["result"] for c in theirs.get("checks") or []}
        own = {n: r for n, r in mine.checks.items() if HARNESS_CHECKS.match(n)}
        self.rules(theirs, mine)
        if loose:
            if keymath.OK in given.values() and keymath.OK not in own.values() and keymath.BAD in own.values():
                self.bad(mine.number, "checks %s, second decoder %s" % (given, own))
            return
        if self.negative:
            self.concede(given, own)
        if given != own:
            self.bad(mine.number, "checks %s, second decoder %s" % (given, own))
            return
        for name, result in own.items():
            self.tally.add("checks %s %s" % (name, result))

    def concede(self, given, own):
        """Of messages that were altered: one side may not take what is left for keys, or for a proof that it can check."""
        for name in set(given) | set(own):
            if name.startswith("LKH") and given.get(name) != own.get(name) or \
                    name in given and name in own and keymath.UNCHECKED in (given[name], own[name]):
                given.pop(name, None)
                own.pop(name, None)

    def rules(self, theirs, mine):
        """The checks that only the second decoder makes, and what a message holds against the protocol."""
        on_purpose = bool(theirs.get("note") or mine.comments or self.negative)
        for name, result in mine.checks.items():
            if HARNESS_CHECKS.match(name):
                continue
            if result != keymath.BAD:
                self.tally.add("own checks, %s" % name)
            elif name == "NAT-D" and self.natted:
                self.tally.add("own checks, NAT-D: there is a NAT")
            elif name == "NAT-D" and self.others:
                self.tally.add("own checks, NAT-D: a daemon of others feigns a NAT, to have ESP in UDP")
            elif on_purpose or name == "SID of the IV" and not self.of_a_lan(mine):
                self.tally.add("own checks, %s: wrong on purpose" % name)
            else:
                self.bad(mine.number, "; ".join([name + " is wrong"] + mine.details))
        for text in mine.breaches:
            if on_purpose or self.old or self.of_the_tester(mine):
                self.tally.add("breaches on purpose")
            else:
                self.bad(mine.number, text)

    def of_the_tester(self, mine):
        """Whether the spec is about a device of the other role than the one that sent this message."""
        role = self.roles.get(mine.packet.src) if mine.packet else None
        return role is not None and self.folder.spec.get("dut") not in (role, "both", None)

    def of_a_lan(self, mine):
        """Whether what is inside is of a host that sends on its link; else the tester has sealed it."""
        tunnel = any(node.kind == "ip" for node in mine.payloads)
        source = capfile.parse_ip(mine.inner).src if tunnel else mine.src     # in transport mode the outer header is the host's
        return (self.hosts.get(source), source) in self.senders

    def trees(self, theirs, mine, broken):
        ends = {p.offset + p.length for p in mine.payloads}
        padding = [p for p in theirs if p["name"] == "TFC Padding" and p["offset"] in ends]
        if padding:
            self.tally.add("padding against traffic analysis, right behind what is inside")
            theirs = [p for p in theirs if p not in padding]
        nodes = {}
        for payload in mine.payloads:
            for node in payload.all():
                nodes.setdefault((node.offset, node.length), []).append(node)
        if not broken:
            given = sorted((p["offset"], p["length"]) for p in theirs)
            own = sorted((p.offset, p.length) for p in mine.payloads)
            if given != own:
                self.bad(mine.number, "payloads %s, second decoder %s" % (
                    [(p["name"], p["offset"], p["length"]) for p in theirs],
                    [(p.name, p.offset, p.length) for p in mine.payloads]))
                return
        found = set()
        limit = whole = None
        if broken:
            spot = re.search(r"at octet (\d+)$", mine.error or "")
            limit = int(spot.group(1)) if spot else 0
            whole = max([p.offset for p in mine.payloads if p.offset <= limit] or [0])
        for payload in theirs:
            self.field(payload, "", nodes, mine, found, limit)
        for payload in mine.payloads:
            for path, node in self.unfound(payload, payload.name, found):
                if whole is None or node.offset < whole and node.offset + node.length <= whole:
                    self.bad(mine.number, "%s (octet %d, %d octets) is not in messages.json" % (path, node.offset, node.length))

    def unfound(self, node, path, found):
        """The parts that messages.json has to show and does not."""
        if id(node) not in found and node.kind in BOUNDARIES:
            yield path, node
        # a SAT of an unknown protocol is shown as octets
        if node.name != "SAT" or node.get("Protocol-ID") in (1, 2, 3):
            for kid in node.kids:
                yield from self.unfound(kid, path + "/" + kid.name, found)

    def field(self, field, prefix, nodes, mine, found, limit):  # pylint: disable=too-many-arguments
        name, spot = field["name"], (field["offset"], field["length"])
        if limit is None or spot[0] + spot[1] <= limit:
            fits = [n for n in nodes.get(spot, ()) if same_name(name, n)]
            if fits:
                found.update(map(id, fits))
                self.agreed += 1
                self.value(field, prefix + name, fits[0], mine)
            elif name not in UNCOMPARED:
                near = [n.name for n in nodes.get(spot, [])] or [
                    "%s at %d+%d" % (n.name, n.offset, n.length) for e in nodes.values() for n in e if same_name(name, n)][:4]
                self.bad(mine.number, "%s (octet %d, %d octets), second decoder %s" % (prefix + name, *spot, near or "nothing"))
        for kid in field.get("fields") or ():
            self.field(kid, prefix + name + "/", nodes, mine, found, limit)

    def value(self, field, path, node, mine):
        text = field.get("value")
        if node.kind == "words":
            if text is not None and node.value not in text:
                self.bad(mine.number, "%s is %s, second decoder %s" % (path, text, node.value))
            return
        if node.kind == "endpoint":
            if (text or "").strip() not in (endpoint_text(node), endpoint_text(node, True)):
                self.bad(mine.number, "%s is %s, second decoder %s" % (path, text, endpoint_text(node)))
            return
        if node.name == "ID" and node.kind == "payload" and text is not None:
            own = id_text(node.get("ID Type"), node.get("Data") or b"")
            if text != own and node.get("ID Type") in (1, 4, 5, 6, 7, 8, 11):
                self.bad(mine.number, "%s is %s, second decoder %s" % (path, text, own))
            return
        if node.name == "SAK" and text is not None and node.get("SPI"):
            if text != (node.get("SPI") or b"").hex():
                self.bad(mine.number, "%s is %s, second decoder %s" % (path, text, node.get("SPI")))
            return
        if same_value(text, node) is False:
            own = node.value.hex() if isinstance(node.value, bytes) else node.value
            self.bad(mine.number, "%s is %s, second decoder %s" % (path, text, own))


def run(found, tally=None):
    tally = tally or folders.Tally("compare")
    for folder in found:
        why = folder.why_not()
        if why:
            tally.skip("%s: %s" % (folder.name, why))
            continue
        before = len(tally.problems)
        Comparison(folder, tally).run()
        tally.folder(before)
    return tally


def main(args):
    if not args:
        print("usage: compare.py DIR…", file=sys.stderr)
        return 2
    tally = run(folders.find(args))
    tally.report()
    if not any(name.startswith("messages ") for name in tally.counts):
        print("compare: nothing was read")
        return 1
    return tally.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
