#!/usr/bin/python3
"""Lets both decoders read conversations of an encoder of their own, each altered in one place.

usage: mutants.py GDOILAB [CONVERSATIONS [SEED]]
GDOILAB is the harness's binary; its "decode --json --keys" is what is compared.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile

import capfile
import compare
import folders
import isakmp
import sample

# Differences that stand, each a leniency of one reader in a message that no peer would send: what was altered in the
# conversation, what is said of the message, and why neither reader is to follow the other.
DECLARED = (
    (r"MM1, altered: header", r".*",
     "the cookies of message 1 are not those of the rest: who began is a guess, and one reader guesses wrong"),
    (r"MM1, altered: (near|bit|ciphertext)", r".*T next payload at octet \d+: payload cannot follow|.*HASH_[IR]': 'unchecked'.*HASH_[IR]': 'bad'",
     "the harness refuses a transform that anything but a transform follows (RFC 2408 section 3.6), and so has no offer"),
    (r"MM1, altered: ", r".*HASH_[IR]': 'ok'.*HASH_[IR]': 'unchecked'",
     "message 1 broke behind a whole SA payload; the harness takes that one, and it proves right"),
    (r"(PULL4|PUSH), altered: ", r".*well formed, second decoder (LKH array|reserved octet of an LKH|RESERVED2 of an LKH)",
     "the harness shows an LKH array that it cannot take apart as octets, and does not call the message broken for it"),
    (r"PUSH-ACK, altered: (type|header|near|bit)", r".*well formed, second decoder ",
     "the harness does not look into a payload that has no place in an acknowledgement; it calls the HASH bad"),
    (r"PULL[1-4], altered: ", r"\[PULL\d.*\] (PULL\d, second decoder PULL\d$|checks {'HASH\((\d)\)': '(bad|unchecked)'}, "
     r"second decoder {'HASH\((?!\2)\d\)': '(bad|unchecked)'}$)",
     "no formula gives the HASH, so which of its sender's two steps it is remains a guess"),
    (r".*altered: ", r".* is (ID_(USER_)?FQDN \".*\"( port \d+)?|[0-9a-f]+), second decoder ",
     "identification data that does not have the form of its type is shown in another way"),
    (r"PULL[1-4], altered: |MM[56], altered: ", r"\[PUSH-ACK\] checks {'ACK HASH': 'unchecked'}, second decoder",
     "the member's LKH keys were in a message that is broken or closed; the harness does not try those of other members"),
)


def declared(altered, text):
    """Why a difference stands, or None."""
    for what, said, why in DECLARED:
        if re.match(what, altered or "") and re.match(said, text):
            return why
    return None


def spots(octets, first):
    """Offsets of generic headers at the top level and of what starts near them."""
    nodes, _, _, _ = isakmp.parse_payloads(bytes(16) + bytes([first, 0x10, isakmp.PULL, 0]) + bytes(8) + octets, 0)
    out = []
    for node in nodes:
        for _, deeper in node.walk():
            out.append(deeper.offset - 28)
    return [s for s in out if 0 <= s < len(octets)] or [0]


def alter(message, rng):
    """Changes one thing in a message; returns a word for it."""
    octets = bytearray(message.octets)
    what = rng.choice(("bit", "near", "near", "near", "cut", "longer", "type", "drop", "twice", "reserved", "length"))
    at = rng.choice(spots(message.octets, message.first))
    if what == "bit":
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    elif what == "near":
        spot = min(len(octets) - 1, at + rng.randrange(12))
        octets[spot] = rng.choice((0, 1, 2, 3, 4, 5, 8, 16, 22, 127, 128, 255, octets[spot] ^ 1))
    elif what == "cut":
        del octets[-rng.randrange(1, min(40, len(octets))):]
    elif what == "longer":
        octets += rng.choice((bytes(rng.randrange(1, 40)), rng.randbytes(rng.randrange(1, 40))))
    elif what == "type":
        message.first = rng.choice((0, 1, 5, 8, 10, 13, 15, 17, 18, 40, 130))
    elif what == "drop":
        del octets[at:at + rng.randrange(1, 9)]
    elif what == "twice":
        octets[at:at] = octets[at:at + rng.randrange(1, 60)]
    elif what == "reserved" and at + 1 < len(octets):
        octets[at + 1] = rng.choice((1, 128))
    elif what == "length" and at + 3 < len(octets):
        octets[at + 3] = (octets[at + 3] + rng.choice((-1, 1, -4, 4, 3))) & 255
    message.octets = bytes(octets)
    if message.resealed and rng.random() < 0.5 and len(octets) >= message.least:
        message.octets = message.resealed(message.octets)
        what += ", sealed again"
    return what


def alter_datagram(data, rng):
    """Changes the header or the ciphertext of an IP packet with UDP inside."""
    body = bytearray(capfile.parse_ip(data).udp)
    what, port = rng.choice(("header", "Length", "ciphertext", "cut", "longer", "marker")), 848
    if what == "header":
        spot = rng.choice((0, 8, 16, 17, 18, 19, 20, 23))
        body[spot] ^= rng.choice((1, 2, 4, 8, 128))
    elif what == "Length":
        size = int.from_bytes(body[24:28], "big") + rng.choice((-16, -1, 1, 16, 256, -len(body)))
        body[24:28] = (size & 0xffffffff).to_bytes(4, "big")
    elif what == "ciphertext" and len(body) > 28:
        body[rng.randrange(28, len(body))] ^= 1 << rng.randrange(8)
    elif what == "cut":
        body = body[:rng.randrange(0, len(body))]
    elif what == "marker":
        body, port = bytes(rng.randrange(9)) + body, rng.choice((848, 4500))
    else:
        body += rng.randbytes(rng.randrange(1, 20))
    src, dst = capfile.parse_ip(data).src, capfile.parse_ip(data).dst
    return sample.udp(src, dst, bytes(body), port, port), what


def esp(one, ends, rng):
    """Packets of a conversation's group with what was altered in them."""
    inner = sample.udp(*ends, rng.randbytes(rng.randrange(60)), 5000, 5001)
    for number in range(1, 4):
        data, kind = one.esp(number, inner), "ESP"
        if rng.random() < 0.2:
            spot = rng.randrange(4, len(data))
            data, kind = data[:spot] + bytes([data[spot] ^ 1 << rng.randrange(8)]) + data[spot + 1:], "ESP, altered"
        elif rng.random() < 0.1:
            data, kind = data[:rng.randrange(len(data))], "ESP, cut"
        yield kind, sample.ip(*ends, 50, data)


def build(count, seed):
    """Packets, key entries, the kind of each frame and what was altered in its conversation."""
    rng = random.Random(seed)
    packets, entries, notes, altered = [], [], {}, {}
    for index in range(count):
        ends = ["192.0.%d.%d" % (3 + index // 200, 1 + index % 200), "192.0.2.10"]
        if index % 3 == 0:
            ends = ["2001:db8::%x:%x" % (3 + index // 200, 1 + index % 200), "2001:db8::10"]
        one = sample.Conversation(rng.randrange(1 << 30), *ends)
        entries += one.entries()
        messages = one.messages()
        spot = rng.randrange(len(messages)) if index % 10 else None
        wire = rng.random() < 0.25
        note, first = None, len(packets) + 1
        if spot is not None and not wire:
            note = alter(messages[spot], rng)
        for number, (message, data) in enumerate(one.datagrams(messages)):
            if number == spot and wire:
                data, note = alter_datagram(data, rng)
            packets.append((0, data))
            notes[len(packets)] = "%s%s" % (message.kind, ", altered: " + note if number == spot and note else "")
        for kind, data in esp(one, ends, rng):
            packets.append((0, data))
            notes[len(packets)] = kind
        for frame in range(first, len(packets) + 1):
            altered[frame] = notes[first + spot] if spot is not None else ""
    return packets, entries, notes, altered


def main(args):
    if not args:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    count = int(args[1]) if len(args) > 1 else 300
    seed = int(args[2]) if len(args) > 2 else 1
    packets, entries, notes, altered = build(count, seed)
    tally = folders.Tally("mutants")

    def bad(frame, text):
        text = "[%s] %s" % (notes.get(frame), text)
        why = declared(altered.get(frame), text)
        if why:
            tally.add("declared: " + why)
        else:
            tally.problem("seed %d" % seed, frame, text)
    with tempfile.TemporaryDirectory() as work:
        path, keys = os.path.join(work, "capture.pcapng"), os.path.join(work, "keys.json")
        with open(path, "wb") as file:
            file.write(sample.pcapng(packets))
        with open(keys, "w", encoding="utf-8") as file:
            json.dump({"entries": entries}, file)
        done = subprocess.run([args[0], "decode", "--json", "--keys", keys, path], capture_output=True, check=False)
        if done.returncode:
            print("mutants: %s" % done.stderr.decode("utf-8", "replace").strip())
            return 1
        theirs = json.loads(done.stdout)["messages"]
        check = compare.Comparison(folders.Folder(work), tally)
        check.bad, check.negative = bad, True    # what was altered breaks rules
        check.messages(theirs, capfile.read(path), {"entries": entries})
    tally.passed, tally.failed = count, len(tally.problems)
    tally.report()
    return tally.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
