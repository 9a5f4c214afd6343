"""The keys of a Logical Key Hierarchy: what members got in download arrays, what update arrays replace."""

import keymath
from isakmp import KD
from keymath import BAD, OK, UNCHECKED

DOWNLOAD, UPDATE = 1, 2


def arrays(packet, number):
    """The arrays of a key packet of type LKH: lists of key nodes, each with the node of its array."""
    for array in packet.kids:
        if array.kind == "attribute" and array.number == number:
            keys = [k for k in array.kids if k.kind == "lkhkey"]
            if keys:
                yield array, keys


class Tree:
    """All LKH keys of a capture, by ID and handle."""

    def __init__(self):
        self.keys = {}      # (ID, handle) -> list of (cipher, IV, key)
        self.leaves = []    # keys of the first entries of download arrays: they key acknowledgements

    def add(self, node, data):
        """Takes IV and key that a node names; None if their lengths do not fit its type."""
        cipher = keymath.KEK_CIPHERS.get(node.get("Key Type"))
        if cipher is None:
            return None
        block, sizes = keymath.CIPHERS[cipher]
        if len(data) - block not in sizes:
            return None
        one = cipher, data[:block], data[block:]
        have = self.keys.setdefault((node.get("LKH ID"), node.get("Key Handle")), [])
        if one not in have:
            have.insert(0, one)
        return one

    def see(self, payloads):
        """Takes the first keys of all download arrays, whatever else is to be said of their message."""
        for payload in payloads:
            for packet in payload.kids if payload.number == KD else []:
                for _, keys in arrays(packet, DOWNLOAD) if packet.number == 3 else []:
                    block = 16 if keys[0].get("Key Type") == 3 else 8
                    leaf = (keys[0].get("Key Data") or b"")[block:]
                    if leaf not in self.leaves:
                        self.leaves.append(leaf)

    def download(self, packet, keks):
        """Takes the download arrays of a key packet; whether each ends with one of these keys of the Rekey SA."""
        results = []
        for _, keys in arrays(packet, DOWNLOAD):
            taken = [self.add(node, node.get("Key Data") or b"") for node in keys]
            if keks:
                results.append(OK if taken[-1] and taken[-1][1:] in keks else BAD)
        return BAD if BAD in results else OK if results else UNCHECKED

    def update(self, packet, keks):
        """Follows the update arrays of a key packet; whether one of them leads to one of these keys.

        A key's data is encrypted with the cipher, the key and the IV of the one before it. That the IV is that one is
        no rule of the RFC, so nothing but the last key can tell.
        """
        results = set()
        for array, keys in arrays(packet, UPDATE):
            begin = self.keys.get((array.get("LKH ID"), array.get("Key Handle")), [])
            ends = [self.follow(one, keys) for one in list(begin)]
            if ends and keks:
                results.add(OK if any(end and end[1:] in keks for end in ends) else BAD)
        return OK if OK in results else BAD if BAD in results else UNCHECKED

    def follow(self, one, keys):
        for node in keys:
            cipher, iv, key = one
            data = node.get("Key Data") or b""
            if len(data) % len(iv):
                return None
            one = self.add(node, keymath.cbc(cipher, key, iv, data))
            if one is None:
                return None
        return one
