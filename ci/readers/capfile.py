"""Reads pcapng and pcap files and takes IP packets apart. Standard library only."""

import socket
import struct


class CaptureError(Exception):
    """The file is not a capture that can be read."""


class Frame:
    """One frame: number from 1, interface name, link type, octets, comments, and the IP packet in it."""

    __slots__ = ("number", "link", "linktype", "data", "comments", "time", "ip")

    def __init__(self, number, link, linktype, data, comments=(), time=0):
        self.number = number
        self.link = link
        self.linktype = linktype
        self.data = data
        self.comments = list(comments)
        self.time = time
        self.ip = parse_link(linktype, data)


class Packet:
    """An IP packet, read as far as it goes. error says why it went no further."""

    raw = version = src = dst = proto = payload = payload_at = tos = ttl = ident = None
    sport = dport = udp = udp_at = error = header_ok = None
    fragment = more = False
    part_at = next_at = fragment_at = None


def parse_link(linktype, data):
    """The IP packet inside a frame, or None."""
    if linktype in (101, 12, 14, 228, 229):
        return parse_ip(data)
    if linktype == 1:
        if len(data) < 14:
            return None
        kind, at = struct.unpack_from(">H", data, 12)[0], 14
        while kind in (0x8100, 0x88a8) and len(data) >= at + 4:
            kind, at = struct.unpack_from(">H", data, at + 2)[0], at + 4
        return parse_ip(data[at:]) if kind in (0x0800, 0x86dd) else None
    if linktype == 113:
        kind = struct.unpack_from(">H", data, 14)[0] if len(data) >= 16 else 0
        return parse_ip(data[16:]) if kind in (0x0800, 0x86dd) else None
    return None


def sum16(data):
    """The one's complement sum used by IP, complemented; 0 over a header with a right checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def parse_ip(data):
    """A Packet from the octets of an IP packet, or None if they are none."""
    reader = {4: parse_ipv4, 6: parse_ipv6}.get(data[0] >> 4 if data else 0)
    if reader is None:
        return None
    pkt = Packet()
    pkt.version = data[0] >> 4
    pkt.fragment = False
    if not reader(pkt, data):
        return None
    pkt.payload = pkt.raw[pkt.payload_at:]
    if pkt.proto == 17 and not pkt.fragment and len(pkt.payload) >= 8:
        pkt.sport, pkt.dport, length = struct.unpack_from(">HHH", pkt.payload)
        if 8 <= length <= len(pkt.payload):
            pkt.udp = pkt.payload[8:length]
        else:
            pkt.udp, pkt.error = pkt.payload[8:], "UDP length does not fit"
        pkt.udp_at = pkt.payload_at + 8
    return pkt


def parse_ipv4(pkt, data):
    """Reads an IPv4 header into pkt; False if there is none."""
    if len(data) < 20:
        return False
    head = (data[0] & 15) * 4
    total = struct.unpack_from(">H", data, 2)[0]
    if head < 20 or total < head or total > len(data):
        pkt.error = "IPv4 lengths do not fit"
        total, head = len(data), max(20, min(head, len(data)))
    pkt.raw, pkt.payload_at = data[:total], head
    pkt.tos, pkt.ttl, pkt.proto = data[1], data[8], data[9]
    pkt.ident, offset = struct.unpack_from(">HH", data, 4)
    pkt.part_at, pkt.more = (offset & 0x1fff) * 8, bool(offset & 0x2000)
    pkt.fragment = bool(offset & 0x3fff)
    pkt.src, pkt.dst = address(data[12:16]), address(data[16:20])
    pkt.header_ok = sum16(data[:head]) == 0
    return True


# Extension headers that stand before what an IPv6 packet carries: hop-by-hop options, routing, destination options.
EXTENSIONS = (0, 43, 60)
FRAGMENT = 44


def parse_ipv6(pkt, data):
    """Reads an IPv6 header and its extension headers into pkt; False if there is none."""
    if len(data) < 40:
        return False
    total = 40 + struct.unpack_from(">H", data, 4)[0]
    if total > len(data):
        pkt.error = "IPv6 length does not fit"
        total = len(data)
    pkt.raw = data[:total]
    pkt.tos = (struct.unpack_from(">H", data, 0)[0] >> 4) & 0xff
    pkt.ttl, pkt.proto = data[7], data[6]
    pkt.src, pkt.dst = address(data[8:24]), address(data[24:40])
    pkt.header_ok = True
    pkt.payload_at, spot = 40, 6
    for kind, at, size in extension_headers(pkt.raw):
        if at + size > total:
            pkt.error = "IPv6 extension header is cut short"
            break
        if kind == FRAGMENT:
            offset, pkt.ident = struct.unpack_from(">HI", data, at + 2)
            pkt.part_at, pkt.more = offset & 0xfff8, bool(offset & 1)
            pkt.fragment = pkt.part_at != 0 or pkt.more
            pkt.next_at, pkt.fragment_at = spot, at
        pkt.proto, pkt.payload_at, spot = data[at], at + size, at
    return True


def extension_headers(raw):
    """Number, place and length of each extension header of an IPv6 packet; what a fragment carries is left alone."""
    kind, at = raw[6], 40
    while kind in EXTENSIONS or kind == FRAGMENT:
        size = 8 + 8 * raw[at + 1] if kind != FRAGMENT and at + 2 <= len(raw) else 8
        yield kind, at, size
        if at + size > len(raw) or kind == FRAGMENT and struct.unpack_from(">H", raw, at + 2)[0] & 0xfff9:
            return
        kind, at = raw[at], at + size


def address(octets):
    return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets)


def octets(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


class Reassembler:
    """Puts fragments of IP packets together."""

    def __init__(self):
        self.parts = {}

    def add(self, place, pkt):
        """The whole packet if this fragment, seen at this place, was the last one missing, else None."""
        key = place, pkt.src, pkt.dst, pkt.proto if pkt.version == 4 else None, pkt.ident
        parts = self.parts.setdefault(key, {})
        parts[pkt.part_at] = pkt
        found, at = [], 0
        while at in parts:
            part = parts[at]
            found.append(part.payload)
            if not part.more:
                del self.parts[key]
                return parse_ip(whole(parts[0], b"".join(found)))
            if not part.payload:
                return None
            at += len(part.payload)
        return None


def whole(first, data):
    """The packet whose first fragment and whole payload these are; nothing if it would be too long."""
    raw = first.raw
    if first.version == 6:
        head = bytearray(raw[:first.fragment_at])
        head[first.next_at] = first.proto
        size = len(head) - 40 + len(data)
        return bytes(head[:4]) + struct.pack(">H", size) + bytes(head[6:]) + data if size <= 65535 else b""
    size = first.payload_at + len(data)
    if size > 65535:
        return b""
    head = raw[:2] + struct.pack(">H", size) + raw[4:6] + b"\0\0" + raw[8:10] + b"\0\0" + raw[12:first.payload_at]
    return head[:10] + struct.pack(">H", sum16(head)) + head[12:] + data


def checksum_ok(pkt):
    """Whether the checksum of an ICMPv6 or UDP packet over IPv6, or of UDP over IPv4, is right; None: there is none."""
    data = pkt.payload
    if pkt.fragment or pkt.error or pkt.proto not in (17, 58) or len(data) < 8:
        return None
    size = struct.unpack_from(">H", data, 4)[0] if pkt.proto == 17 else len(data)
    if pkt.proto == 17 and data[6:8] == b"\0\0":
        return None if pkt.version == 4 else False
    ends = pkt.raw[12:20] if pkt.version == 4 else pkt.raw[8:40]
    pseudo = ends + struct.pack(">II", size, pkt.proto)
    return sum16(pseudo + data[:size]) == 0


def read(path):
    """All frames of a pcapng or pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return _pcapng(data)
    return _pcap(data)


def _pcap(data):
    orders = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
    order = orders.get(data[:4])
    if order is None or len(data) < 24:
        raise CaptureError("neither pcapng nor pcap")
    linktype = struct.unpack_from(order + "I", data, 20)[0] & 0xffff
    frames, at = [], 24
    while at + 16 <= len(data):
        sec, sub, size, _ = struct.unpack_from(order + "IIII", data, at)
        if at + 16 + size > len(data):
            raise CaptureError("cut short")
        frames.append(Frame(len(frames) + 1, "", linktype, data[at + 16:at + 16 + size], (), (sec, sub)))
        at += 16 + size
    return frames


def _options(order, data):
    at, out = 0, []
    while at + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, at)
        if code == 0:
            break
        out.append((code, data[at + 4:at + 4 + size]))
        at += 4 + (size + 3) // 4 * 4
    return out


def _pcapng(data):
    frames, links, order, at = [], [], "<", 0
    while at < len(data):
        if at + 12 > len(data):
            raise CaptureError("cut short")
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or size % 4 or at + size > len(data) or data[at + size - 4:at + size] != data[at + 4:at + 8]:
            raise CaptureError("block lengths do not fit at octet %d" % at)
        body = data[at + 8:at + size - 4]
        if kind == 1:
            opts = dict(_options(order, body[8:]))
            links.append((opts.get(2, b"").decode("utf-8", "replace"), struct.unpack_from(order + "H", body)[0]))
        elif kind == 6:
            link, high, low, caplen, _ = struct.unpack_from(order + "IIIII", body)
            if link >= len(links) or 20 + caplen > len(body):
                raise CaptureError("packet block does not fit at octet %d" % at)
            opts = _options(order, body[20 + (caplen + 3) // 4 * 4:])
            comments = [v.decode("utf-8", "replace") for c, v in opts if c == 1]
            frames.append(Frame(len(frames) + 1, links[link][0], links[link][1], body[20:20 + caplen], comments,
                                (high << 32) | low))
        elif kind == 3 and links:
            size3 = min(struct.unpack_from(order + "I", body)[0], len(body) - 4)
            frames.append(Frame(len(frames) + 1, links[0][0], links[0][1], body[4:4 + size3]))
        at += size
    return frames
