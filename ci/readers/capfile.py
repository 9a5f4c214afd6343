"""Reads pcapng and pcap files and takes IP packets apart. Standard library only."""

import ipaddress
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

    __slots__ = ("raw", "version", "src", "dst", "proto", "payload", "payload_at", "fragment", "tos", "ttl", "ident",
                 "sport", "dport", "udp", "udp_at", "error", "header_ok", "spot", "front")

    def __init__(self):
        for name in self.__slots__:
            setattr(self, name, None)


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
    if not data:
        return None
    pkt = Packet()
    pkt.version = data[0] >> 4
    pkt.fragment = False
    if pkt.version == 4:
        if len(data) < 20:
            return None
        head = (data[0] & 15) * 4
        total = struct.unpack_from(">H", data, 2)[0]
        if head < 20 or total < head or total > len(data):
            pkt.error = "IPv4 lengths do not fit"
            total, head = len(data), max(20, min(head, len(data)))
        pkt.raw = data[:total]
        pkt.tos, pkt.ttl, pkt.proto = data[1], data[8], data[9]
        pkt.ident, offset = struct.unpack_from(">HH", data, 4)
        pkt.fragment = bool(offset & 0x3fff)
        pkt.src, pkt.dst = str(ipaddress.IPv4Address(data[12:16])), str(ipaddress.IPv4Address(data[16:20]))
        pkt.header_ok = sum16(data[:head]) == 0
    elif pkt.version == 6:
        if len(data) < 40:
            return None
        total = 40 + struct.unpack_from(">H", data, 4)[0]
        if total > len(data):
            pkt.error = "IPv6 length does not fit"
            total = len(data)
        pkt.raw = data[:total]
        pkt.tos = (struct.unpack_from(">H", data, 0)[0] >> 4) & 0xff
        pkt.ttl, pkt.proto = data[7], data[6]
        pkt.src, pkt.dst = str(ipaddress.IPv6Address(data[8:24])), str(ipaddress.IPv6Address(data[24:40]))
        pkt.header_ok = True
        head, pointer = 40, 6
        while pkt.proto in (0, 43, 60) and head + 8 <= total:
            pkt.proto, pointer, head = data[head], head, head + 8 + 8 * data[head + 1]
        if pkt.proto == 44 and head + 8 <= total:
            spot, pkt.ident = struct.unpack_from(">HL", data, head + 2)
            pkt.fragment, pkt.spot = True, (spot & 0xfff8, bool(spot & 1))
            pkt.front = data[:pointer] + data[head:head + 1] + data[pointer + 1:head]
            pkt.proto, head = data[head], head + 8
    else:
        return None
    pkt.payload, pkt.payload_at = pkt.raw[head:], head
    if pkt.proto == 17 and not pkt.fragment and len(pkt.payload) >= 8:
        pkt.sport, pkt.dport, length = struct.unpack_from(">HHH", pkt.payload)
        if 8 <= length <= len(pkt.payload):
            pkt.udp = pkt.payload[8:length]
        else:
            pkt.udp, pkt.error = pkt.payload[8:], "UDP length does not fit"
        pkt.udp_at = head + 8
    return pkt


def whole_ipv6(front, data):
    """The packet that was cut, from what stood before the Fragment header and what was behind it (RFC 8200 4.5)."""
    size = len(front) - 40 + len(data)
    return parse_ip(front[:4] + struct.pack(">H", size) + front[6:] + data) if size <= 65535 else None


class Reassembler:
    """Puts fragments of packets together."""

    def __init__(self):
        self.parts = {}

    def add(self, place, pkt):
        """The whole packet if this fragment, seen at this place, was the last one missing, else None."""
        if pkt.version == 4:
            spot = struct.unpack_from(">H", pkt.raw, 6)[0]
            key, offset, more = (place, pkt.src, pkt.dst, pkt.proto, pkt.ident), (spot & 0x1fff) * 8, bool(spot & 0x2000)
        else:
            key, (offset, more) = (place, pkt.src, pkt.dst, pkt.ident), pkt.spot
        parts = self.parts.setdefault(key, {})
        parts[offset] = pkt, more
        data, at = b"", 0
        while at in parts:
            part, more = parts[at]
            data += part.payload
            if not more:
                del self.parts[key]
                first = parts[0][0]
                if first.version == 6:
                    return whole_ipv6(first.front, data)
                size = first.payload_at + len(data)
                if size > 65535:
                    return None
                head = first.raw[:2] + struct.pack(">H", size) + first.raw[4:6] + b"\0\0" + first.raw[8:10] + b"\0\0" + \
                    first.raw[12:first.payload_at]
                return parse_ip(head[:10] + struct.pack(">H", sum16(head)) + head[12:] + data)
            if not part.payload:
                return None
            at += len(part.payload)
        return None


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
