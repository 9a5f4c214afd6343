#!/usr/bin/python3
"""Opens the ESP packets of captures with Scapy and looks for their contents on the LANs."""

import string
import sys

import capfile
import folders
import gdoi

try:
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.ipsec import ESP, SecurityAssociation
except ImportError as reason:
    ESP, MISSING = None, str(reason)

COUNTER_MODES = {20: 8}
ALGORITHMS = {20: "AES-GCM", 12: "AES-CBC", 11: "NULL", 3: "3DES"}
INTEGRITY = {1: "HMAC-MD5-96", 2: "HMAC-SHA1-96", 5: "SHA2-256-128", 6: "SHA2-384-192", 7: "SHA2-512-256"}


def security_associations(entries):
    """spi -> list of (entry, Scapy's SA), one for each key of an SPI."""
    found, seen = {}, set()
    for entry in entries:
        if entry.get("kind") != "traffic":
            continue
        mark = tuple(entry.get(n) for n in ("spi", "cipher", "cipher_key", "integrity", "integrity_key", "esn"))
        if mark in seen or entry.get("cipher") not in ALGORITHMS:
            continue
        seen.add(mark)
        more = {}
        if entry.get("integrity"):
            more = {"auth_algo": INTEGRITY[entry["integrity"]], "auth_key": bytes.fromhex(entry["integrity_key"])}
        sa = SecurityAssociation(ESP, spi=int(entry["spi"], 16), crypt_algo=ALGORITHMS[entry["cipher"]],
                                 crypt_key=bytes.fromhex(entry.get("cipher_key") or ""), tunnel_header=IP(),
                                 esn_en=bool(entry.get("esn")), **more)
        found.setdefault(entry["spi"], []).append((entry, sa))
    return found


def open_packet(sas, packet):
    """The inner octets, the entry of the key that opened the packet, and why it did not open."""
    error = "no key"
    for entry, sa in sas.get(packet.payload[:4].hex(), []):
        layer = IP if packet.version == 4 else IPv6
        try:
            return bytes(sa.decrypt(layer(packet.raw))), entry, None
        except Exception as err:  # pylint: disable=broad-except
            error = "%s %s" % (type(err).__name__, err)
    return None, None, error


def content(packet):
    """What encapsulation, forwarding and delivery leave alone."""
    if packet.version == 4:
        raw = packet.raw
        return raw[:1] + bytes([raw[1] & 0xfc]) + raw[2:8] + raw[9:10] + raw[12:]
    raw = bytearray(packet.raw)
    raw[7] = 0
    raw[1] &= 0xcf
    return bytes(raw)


class Lan:
    """The whole packets of the LAN links, by content."""

    def __init__(self, frames, nodes):
        self.by_content, self.links, whole = {}, set(), capfile.Reassembler()
        self.hosts = {"lan" + n["name"].lstrip("host"): n["address"] for n in nodes if n.get("role") == "host"}
        self.all = []
        for frame in frames:
            packet = frame.ip
            if not frame.link.startswith("lan") or packet is None:
                continue
            self.links.add(frame.link)
            if packet.fragment:
                packet = whole.add(frame.link, packet) or packet
            self.by_content.setdefault(content(packet), []).append((frame, packet))
            self.all.append((frame, packet))

    def delivered(self, frame, packet):
        """Whether a frame came out of the gateway, to the host of that link."""
        return packet.dst == self.hosts.get(frame.link) and packet.src != packet.dst


def check(folder, tally):
    """One folder; returns how many ESP packets were read."""
    frames = capfile.read(folder.file("capture.pcapng"))
    harness = folder.json("messages.json", {}) or {}
    said = {m["frame"]: m for m in harness.get("messages") or []}
    keys = folder.keys
    sas = security_associations(keys.get("entries") or [])
    own = gdoi.Reader(keys)
    lan = Lan(frames, harness.get("nodes") or [])
    negative = bool(folder.spec.get("negative"))
    ivs, seen, inner_parts, outer_parts, carried = {}, set(), capfile.Reassembler(), capfile.Reassembler(), set()

    def bad(frame, text):
        tally.problem(folder.name, frame.number, text)

    for frame in frames:
        packet, mine = frame.ip, own.frame(frame)
        if packet is None or frame.link.startswith("lan"):
            continue
        if packet.fragment:
            packet = outer_parts.add(frame.link, packet)
            if packet is None:
                continue
        if packet.proto != 50:
            carried.add(content(packet))
            continue
        tally.add("ESP packets")
        result = ([c["result"] for c in said.get(frame.number, {}).get("checks") or [] if c["name"] == "ICV"] or
                  ["unchecked"])[0]
        if packet.payload in seen:
            tally.add("repeated, octet for octet")
        inner, entry, error = open_packet(sas, packet)
        broken = said.get(frame.number, {}).get("error")
        if inner is None:
            if result == "ok" and not broken:
                bad(frame, "Scapy does not open it (%s), the harness says %s" % (error, result))
            elif result == "bad" or error == "no key" or broken or frame.comments:
                tally.add("agreed not to open")
            else:
                bad(frame, "Scapy does not open it: %s" % error)
            continue
        if result != "ok":
            bad(frame, "Scapy opens it, the harness says %s" % result)
            continue
        tally.add("opened, ICV right")
        size = COUNTER_MODES.get(entry["cipher"])
        if size and packet.payload not in seen:
            mark = (entry["spi"], entry.get("cipher_key"), packet.payload[8:8 + size])
            if mark in ivs and not frame.comments:
                bad(frame, "IV %s of SPI %s was used in frame %d" % (mark[2].hex(), entry["spi"], ivs[mark]))
            ivs[mark] = frame.number
            tally.add("IVs of counter modes, each new")
        seen.add(packet.payload)
        if mine.inner is not None and not mine.error and not inner.startswith(mine.inner):
            bad(frame, "Scapy's inner packet is not the second decoder's")
        ip = capfile.parse_ip(inner)
        if ip is None or mine.error or (ip.error or "").startswith("IPv"):
            tally.add("nothing inside to compare")
            continue
        if ip.fragment:
            tally.add("inner fragments")
            carried.add(content(ip))
            ip = inner_parts.add((frame.link, entry["spi"]), ip)
            if ip is None:
                continue
        carried.add(content(ip))
        inside(tally, bad, lan, frame, packet, ip, entry, negative)
    deliveries(tally, bad, lan, carried)


def inside(tally, bad, lan, frame, outer, ip, entry, negative):
    """An inner packet and what the LANs have of it."""
    before = after = 0
    if not ip.header_ok:
        tally.add("inner header checksum wrong")
    for there, packet in lan.by_content.get(content(ip), []):
        if not lan.delivered(there, packet):
            before += 1
            if packet.ttl - 1 != ip.ttl:
                bad(frame, "TTL %d inside, %d on %s in frame %d" % (ip.ttl, packet.ttl, there.link, there.number))
            if packet.tos != ip.tos:
                bad(frame, "TOS %d inside, %d on %s in frame %d" % (ip.tos, packet.tos, there.link, there.number))
            if packet.header_ok and not ip.header_ok:
                bad(frame, "checksum of the inner header is wrong")
        else:
            after += 1
            congested = outer.tos & 3 == 3 and ip.tos & 3 in (1, 2)
            want = ip.tos | 3 if congested else ip.tos
            if packet.tos != want:
                bad(frame, "TOS %d in frame %d, %d inside, %d outside" % (packet.tos, there.number, ip.tos, outer.tos))
            if packet.ttl != ip.ttl - 1:
                bad(frame, "TTL %d in frame %d, %d inside" % (packet.ttl, there.number, ip.ttl))
            if ip.header_ok and not packet.header_ok:
                bad(frame, "checksum of the header is wrong in frame %d" % there.number)
    if before:
        tally.add("inner packets as a host sent them")
        kept = {1: 0, 2: 1, 3: 2}.get(entry.get("preservation"), 3)
        if kept & 1 and outer.src != ip.src or kept & 2 and outer.dst != ip.dst:
            bad(frame, "outer %s -> %s, inner %s -> %s" % (outer.src, outer.dst, ip.src, ip.dst))
    if after:
        tally.add("inner packets as a host got them")
    if not before and not after:
        tally.add("inner packets of the tester, not delivered")
    sender = [link for link, host in lan.hosts.items() if host == ip.src and link in lan.links]
    if not before and sender and not negative and any(
            not lan.delivered(f, p) and f.link == sender[0] for f, p in lan.all):
        bad(frame, "no frame of %s holds what is inside" % sender[0])


def deliveries(tally, bad, lan, carried):
    """Whatever a host gets has crossed the WAN, in ESP or in clear."""
    for frame, packet in lan.all:
        if not lan.delivered(frame, packet) or packet.fragment:
            continue
        if packet.proto == 1 and packet.payload[:1] in (b"\x03", b"\x0b"):
            tally.add("ICMP errors of a gateway")
            continue
        tally.add("packets that a host got")
        if content(packet) not in carried:
            bad(frame, "a host got what no frame of the WAN holds")


def run(found, tally=None):
    tally = tally or folders.Tally("esp")
    if ESP is None:
        tally.skip("Scapy is missing: %s" % MISSING)
        return tally
    for folder in found:
        why = folder.why_not()
        if why:
            tally.skip("%s: %s" % (folder.name, why))
            continue
        before = len(tally.problems)
        try:
            check(folder, tally)
        except (capfile.CaptureError, OSError) as err:
            tally.problem(folder.name, 0, str(err))
        tally.folder(before)
    return tally


def main(args):
    if not args:
        print("usage: esp.py DIR…", file=sys.stderr)
        return 2
    tally = run(folders.find(args))
    tally.report()
    if not tally.skips and not tally.counts.get("ESP packets"):
        print("esp: nothing was read")
        return 1
    return tally.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
