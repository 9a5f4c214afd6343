#!/usr/bin/python3
"""Opens the ESP and AH packets of captures with Scapy and looks for their contents on the LANs."""

import ipaddress
import re
import string
import sys

import capfile
import folders
import gdoi

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import aead, algorithms, modes
    from scapy.layers import ipsec
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.ipsec import AH, ESP, AuthAlgo, CryptAlgo, SecurityAssociation
except ImportError as reason:
    ESP, MISSING = None, str(reason)
    AuthAlgo = CryptAlgo = object

COUNTER_MODES = {18: 8, 19: 8, 20: 8, 23: 8}
ALGORITHMS = {23: "AES-GMAC", 20: "AES-GCM", 19: "AES-GCM-12", 18: "AES-GCM-8", 12: "AES-CBC", 11: "NULL", 3: "3DES"}
INTEGRITY = {1: "HMAC-MD5-96", 2: "HMAC-SHA1-96", 5: "SHA2-256-128", 6: "SHA2-384-192", 7: "SHA2-512-256"}
TRANSPORT = (2, 4)          # as it is, and in UDP
IN_UDP = 4500               # the port of ESP in UDP
CHECKSUMS = {6: 16, 17: 6}  # protocol -> place of the checksum in its header
# ICMP and ICMPv6: unreachable, too big, time exceeded
ERRORS = {(1, b"\x03"), (1, b"\x0b"), (58, b"\x01"), (58, b"\x02"), (58, b"\x03")}
WINDOW = 64
LAST = 0xffffffff


class Gmac(CryptAlgo):
    """NULL_AUTH_AES-GMAC (RFC 4543), which Scapy does not have: nothing is encrypted, and the IV is authenticated."""

    def decrypt(self, sa, esp, key, icv_size=None, esn_en=False, esn=0):  # pylint: disable=too-many-arguments
        iv, body, icv = esp.data[:8], esp.data[8:-16], esp.data[-16:]
        numbers = esn.to_bytes(4, "big") if esn_en else b""
        aad = esp.spi.to_bytes(4, "big") + numbers + esp.seq.to_bytes(4, "big") + iv + body
        try:
            aead.AESGCM(key).decrypt(sa.crypt_salt + iv, icv, aad)
        except InvalidTag as err:
            raise ipsec.IPSecIntegrityError(err)
        end = len(body) - 2 - body[-2]
        return ipsec._ESPPlain(spi=esp.spi, seq=esp.seq, iv=iv, data=body[:end], padding=body[end:-2],  # pylint: disable=protected-access
                               padlen=body[-2], nh=body[-1], icv=icv)


class Extended(AuthAlgo):
    """An HMAC that also covers the upper half of the sequence number, which Scapy leaves out of ESP."""

    high = 0

    def verify(self, pkt, key, esn_en=False, esn=0):
        octets, mac = bytes(pkt), self.new_mac(key)
        mac.update(octets[:-self.icv_size] + self.high.to_bytes(4, "big"))
        if mac.finalize()[:self.icv_size] != octets[-self.icv_size:]:
            raise ipsec.IPSecIntegrityError("ICV with upper half %d" % self.high)


def register():
    """Adds to Scapy's tables what they lack."""
    salted = lambda sa, iv, **kw: sa.crypt_salt + iv  # noqa: E731 pylint: disable=unnecessary-lambda-assignment
    for octets in (8, 12):
        name = "AES-GCM-%d" % octets
        ipsec.CRYPT_ALGOS[name] = CryptAlgo(name, cipher=algorithms.AES, mode=modes.GCM, salt_size=4, block_size=1, iv_size=8,
                                            icv_size=octets, format_mode_iv=salted)
    ipsec.CRYPT_ALGOS["AES-GMAC"] = Gmac("AES-GMAC", cipher=aead.AESGCM, mode=None, key_size=(16, 24, 32), salt_size=4,
                                         block_size=1, iv_size=8, icv_size=16, format_mode_iv=salted)
    for name in list(INTEGRITY.values()):
        have = ipsec.AUTH_ALGOS[name]
        ipsec.AUTH_ALGOS[name + " ESN"] = Extended(name + " ESN", have.mac, have.digestmod, have.icv_size)


if ESP is not None:
    register()


class Association:
    """One key of an SPI: Scapy's SA, and where the sequence numbers of each sender stand."""

    def __init__(self, entry):
        self.entry, self.esn, self.tops = entry, bool(entry.get("esn")), {}
        more = {}
        if entry.get("integrity"):
            more = {"auth_algo": INTEGRITY[entry["integrity"]] + (" ESN" if self.esn else ""),
                    "auth_key": bytes.fromhex(entry["integrity_key"])}
        tunnel = None if entry.get("mode") in TRANSPORT else IP()
        self.sa = SecurityAssociation(ESP, spi=int(entry["spi"], 16), crypt_algo=ALGORITHMS[entry["cipher"]],
                                      crypt_key=bytes.fromhex(entry.get("cipher_key") or ""), tunnel_header=tunnel, **more)

    place = 4   # of the sequence number

    def decrypt(self, packet):
        """The octets inside; in transport mode with the IP header in front of them again."""
        if not self.esn:
            return self.attempt(packet, 0)
        low, top = int.from_bytes(packet.payload[self.place:self.place + 4], "big"), self.tops.get(packet.src, 0)
        highs = [extended(top, low) >> 32] + ([LAST] if top == 0 else [])
        for number, high in enumerate(highs):
            try:
                inner = self.attempt(packet, high)
            except ipsec.IPSecIntegrityError:
                if number + 1 == len(highs):
                    raise
                continue
            self.tops[packet.src] = max(top, high << 32 | low)
            return inner

    def attempt(self, packet, high):
        layer = IP if packet.version == 4 else IPv6
        if isinstance(self.sa.auth_algo, Extended):
            self.sa.auth_algo.high = high
        return bytes(self.sa.decrypt(layer(packet.raw), esn_en=self.esn, esn=high))


class Authentication(Association):
    """One key of an SPI of AH, which hides nothing: Scapy checks the ICV, over the IP header as well."""

    place = 8   # of the sequence number

    def __init__(self, entry):
        self.entry, self.esn, self.tops = entry, bool(entry.get("esn")), {}
        tunnel = None if entry.get("mode") in TRANSPORT else IP()
        self.sa = SecurityAssociation(AH, spi=int(entry["spi"], 16), auth_algo=INTEGRITY[entry["integrity"]],
                                      auth_key=bytes.fromhex(entry["integrity_key"]), tunnel_header=tunnel)


def extended(top, low):
    """The number of 64 bits with that lower half that lies in the window below top or next above it (RFC 4303 appendix A2)."""
    high, top_low = top >> 32, top & LAST
    bottom = (top_low - WINDOW + 1) & LAST
    if top_low >= WINDOW - 1:
        high += low < bottom
    elif low >= bottom and high > 0:
        high -= 1
    return (high & LAST) << 32 | low


def security_associations(entries):
    """spi -> list of associations, one for each key of an SPI."""
    found, seen = {}, set()
    for entry in entries:
        if entry.get("kind") != "traffic":
            continue
        mark = tuple(entry.get(n) for n in ("spi", "cipher", "cipher_key", "integrity", "integrity_key", "esn", "mode"))
        if mark in seen or entry.get("cipher") not in ALGORITHMS:
            continue
        seen.add(mark)
        found.setdefault(entry["spi"], []).append(Association(entry))
    return found


def authentications(entries):
    """spi -> list of associations of AH."""
    found, seen = {}, set()
    for entry in entries:
        mark = tuple(entry.get(n) for n in ("spi", "integrity", "integrity_key", "esn", "mode"))
        if entry.get("kind") == "ah" and mark not in seen:
            seen.add(mark)
            found.setdefault(entry["spi"], []).append(Authentication(entry))
    return found


def open_packet(sas, packet, at=0):
    """The inner octets, the entry of the key that opened the packet, and why it did not open. The SPI stands at an octet."""
    error = "no key"
    for association in sas.get(packet.payload[at:at + 4].hex(), []):
        try:
            return association.decrypt(packet), association.entry, None
        except Exception as err:  # pylint: disable=broad-except
            error = "%s %s" % (type(err).__name__, err)
    return None, None, error


def out_of_udp(packet):
    """A packet of ESP in UDP without its UDP header (RFC 3948 §2.1); any other as it is."""
    if packet.proto != 17 or packet.fragment or IN_UDP not in (packet.sport, packet.dport) or packet.udp is None:
        return packet
    if len(packet.udp) < 8 or packet.udp[:4] == bytes(4):
        return packet
    raw, names = bytearray(packet.raw[:packet.payload_at] + packet.udp), 9
    if packet.version == 4:
        raw[2:4], raw[10:12] = len(raw).to_bytes(2, "big"), bytes(2)
    else:
        raw[4:6] = (len(raw) - 40).to_bytes(2, "big")
        names = ([6] + [at for _, at, _ in capfile.extension_headers(packet.raw)])[-1]
    raw[names] = 50
    if packet.version == 4:
        raw[10:12] = capfile.sum16(raw[:packet.payload_at]).to_bytes(2, "big")
    return capfile.parse_ip(bytes(raw))


def repaired(packet):
    """What a packet carries, with the checksum of TCP or UDP as it has to be between its addresses (RFC 3948 §3.1.2)."""
    at = CHECKSUMS.get(packet.proto)
    if at is None or len(packet.payload) < at + 2 or packet.proto == 17 and packet.payload[at:at + 2] == bytes(2):
        return load(packet)
    ends = b"".join(ipaddress.ip_address(a).packed for a in (packet.src, packet.dst))
    plain = packet.payload[:at] + bytes(2) + packet.payload[at + 2:]
    found = capfile.sum16(ends + bytes([0, packet.proto]) + len(plain).to_bytes(2, "big") + plain)
    return load(packet)[:3] + (plain[:at] + (found or packet.proto == 17 and LAST & 0xffff or 0).to_bytes(2, "big") + plain[at + 2:],)


def content(packet):
    """What encapsulation, forwarding and delivery leave alone."""
    if packet.version == 4:
        raw = packet.raw
        return raw[:1] + bytes([raw[1] & 0xfc]) + raw[2:8] + raw[9:10] + raw[12:]
    raw = bytearray(packet.raw)
    raw[7] = 0
    raw[1] &= 0xcf
    return bytes(raw)


def load(packet):
    """What transport mode leaves of a packet: its IP header is that of the ESP packet."""
    return (packet.src, packet.dst, packet.proto, packet.payload)


class Lan:
    """The whole packets of the LAN links, by content."""

    def __init__(self, frames, nodes):
        self.by_content, self.by_load, self.links, whole = {}, {}, set(), capfile.Reassembler()
        self.hosts = {}     # link -> addresses of its host, of either version of IP
        for node in nodes:
            name = re.fullmatch(r"h(\d+)", node["name"])    # host1 is an address that the harness has no name for
            if node.get("role") == "host" and name:
                self.hosts.setdefault("lan" + name.group(1), set()).add(node["address"])
        self.all = []
        for frame in frames:
            packet = frame.ip
            if not frame.link.startswith("lan") or packet is None:
                continue
            self.links.add(frame.link)
            if packet.fragment:
                packet = whole.add(frame.link, packet) or packet
            self.by_content.setdefault(content(packet), []).append((frame, packet))
            self.by_load.setdefault(load(packet), []).append((frame, packet))
            self.all.append((frame, packet))

    def delivered(self, frame, packet):
        """Whether a frame came out of the gateway, to the host of that link or to a multicast group."""
        own, source = self.hosts.get(frame.link, ()), ipaddress.ip_address(packet.src)
        if packet.dst in own:
            return packet.src != packet.dst
        if beside(packet.dst, own):  # another address of that link
            return not beside(packet.src, own)
        # what the gateway says for itself, of groups and neighbours, is no traffic of a host
        hosts = set().union(*self.hosts.values())
        chatter = packet.proto in (2, 58) and packet.src not in hosts or source.is_link_local or source.is_unspecified
        return ipaddress.ip_address(packet.dst).is_multicast and packet.src not in own and not chatter


def beside(address, own):
    """Whether an address is of the network of one of those of a host: 24 bits of IPv4, 64 of IPv6."""
    address = ipaddress.ip_address(address)
    return any(address in ipaddress.ip_network("%s/%d" % (have, 24 if address.version == 4 else 64), strict=False)
               for have in own if ipaddress.ip_address(have).version == address.version)


def later(sas, packet):
    """What is inside a packet whose sender has gone on for up to 8 cycles of 2^32 unseen (RFC 4303 appendix A3), or None."""
    for association in sas.get(packet.payload[:4].hex(), []):
        top = association.tops.get(packet.src, 0) >> 32
        for high in range(top + 1, top + 9) if association.esn else ():
            try:
                return association.attempt(packet, high)
            except ipsec.IPSecIntegrityError:
                continue
    return None


def check(folder, tally):
    """One folder; returns how many ESP packets were read."""
    frames = capfile.read(folder.file("capture.pcapng"))
    harness = folder.json("messages.json", {}) or {}
    said = {m["frame"]: m for m in harness.get("messages") or []}
    keys = folder.keys
    sas, ahs = (make(keys.get("entries") or []) for make in (security_associations, authentications))
    own = gdoi.Reader(keys)
    lan = Lan(frames, harness.get("nodes") or [])
    negative = bool(folder.spec.get("negative"))
    ivs, seen, opened, inner_parts, outer_parts, carried = {}, set(), {}, capfile.Reassembler(), capfile.Reassembler(), set()

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
        if packet.proto == 51 and packet.payload[4:8].hex() in ahs:
            authenticated(tally, bad, lan, frame, packet, ahs, carried, negative)
            continue
        plain = packet
        if packet.proto == 17:
            packet = out_of_udp(packet)
            inside_udp(tally, bad, frame, plain, packet)
        if packet.proto != 50:
            carried.add(content(packet))
            continue
        tally.add("ESP packets")
        result = ([c["result"] for c in said.get(frame.number, {}).get("checks") or [] if c["name"] == "ICV"] or
                  ["unchecked"])[0]
        twice = (packet.src, packet.payload)
        if twice in opened:
            tally.add("repeated, octet for octet")
        else:
            opened[twice] = open_packet(sas, packet)
        inner, entry, error = opened[twice]
        broken = said.get(frame.number, {}).get("error")
        if inner is None:
            if result == "ok" and not broken:
                bad(frame, "Scapy does not open it (%s), the harness says %s" % (error, result))
            elif result == "bad" and not negative and later(sas, packet):
                tally.add("opened a cycle or more later, where the harness does not look")
                carried.add(content(capfile.parse_ip(later(sas, packet))))
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
        inner, transport = inner[mine.headers:], entry.get("mode") in TRANSPORT
        ip = capfile.parse_ip(inner)
        if mine.inner is not None and not mine.error and not (
                ip is not None and ip.payload.startswith(mine.inner) if transport else inner.startswith(mine.inner)):
            bad(frame, "Scapy's inner packet is not the second decoder's")
        if ip is None or mine.error or (ip.error or "").startswith("IPv"):
            tally.add("nothing inside to compare")
            continue
        if ip.fragment:
            tally.add("inner fragments")
            carried.add(content(ip))
            ip = inner_parts.add((frame.link, entry["spi"]), ip)
            if ip is None:
                continue
        if transport:
            carried.add(load(ip))
            if plain.proto == 17:
                carried.add(repaired(ip))
            across(tally, bad, lan, frame, ip, negative)
            continue
        carried.add(content(ip))
        inside(tally, bad, lan, frame, packet, ip, entry, negative)
    deliveries(tally, bad, lan, carried)


def inside_udp(tally, bad, frame, packet, esp):
    """The UDP header in front of ESP: over IPv4 none or a right checksum, over IPv6 a right one."""
    if esp.proto != 50:
        return
    tally.add("ESP packets in UDP")
    ends = b"".join(ipaddress.ip_address(a).packed for a in (packet.src, packet.dst))
    none = packet.version == 4 and packet.payload[6:8] == bytes(2)
    if not none and capfile.sum16(ends + bytes([0, 17]) + len(packet.payload).to_bytes(2, "big") + packet.payload):
        bad(frame, "UDP checksum %s is wrong" % packet.payload[6:8].hex())
    if packet.error and not frame.comments:
        bad(frame, packet.error)


def authenticated(tally, bad, lan, frame, packet, ahs, carried, negative):  # pylint: disable=too-many-arguments
    """A packet of AH: its ICV, and what the LANs have of it."""
    inner, entry, error = open_packet(ahs, packet, 4)
    if inner is None:
        if not negative:
            bad(frame, "Scapy finds AH not authentic: %s" % error)
        tally.add("AH packets that are not authentic")
        return
    tally.add("AH packets, ICV right")
    ip = capfile.parse_ip(inner)
    if ip is None or ip.fragment:
        bad(frame, "nothing whole in AH")
    elif entry.get("mode") in TRANSPORT:
        carried.add(load(ip))
        across(tally, bad, lan, frame, ip, negative)
    else:
        carried.add(content(ip))
        inside(tally, bad, lan, frame, packet, ip, entry, negative)


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
    sender = [link for link, addresses in lan.hosts.items() if ip.src in addresses and link in lan.links]
    if not before and sender and not negative and any(
            p.src == ip.src and not lan.delivered(f, p) and f.link == sender[0] for f, p in lan.all):
        bad(frame, "no frame of %s holds what is inside" % sender[0])


def across(tally, bad, lan, frame, ip, negative):
    """What a packet in transport mode carries, and what the LANs have of it."""
    there = lan.by_load.get(load(ip), [])
    before = sum(not lan.delivered(f, p) for f, p in there)
    if before:
        tally.add("payloads as a host sent them")
    if len(there) > before:
        tally.add("payloads as a host got them")
    if not there:
        tally.add("payloads of the tester, not delivered")
    sender = [link for link, addresses in lan.hosts.items() if ip.src in addresses and link in lan.links]
    if not before and sender and not negative and any(
            p.src == ip.src and not lan.delivered(f, p) and f.link == sender[0] for f, p in lan.all):
        bad(frame, "no frame of %s holds what is inside" % sender[0])


def deliveries(tally, bad, lan, carried):
    """Whatever a host gets has crossed the WAN, in ESP or in clear."""
    for frame, packet in lan.all:
        if not lan.delivered(frame, packet) or packet.fragment:
            continue
        if (packet.proto, packet.payload[:1]) in ERRORS:
            tally.add("ICMP errors of a gateway")
            continue
        tally.add("packets that a host got")
        if content(packet) not in carried and load(packet) not in carried:
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
