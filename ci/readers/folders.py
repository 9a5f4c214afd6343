"""Finds evidence folders and reads what is in them."""

import json
import os


class Folder:
    """An evidence folder: capture, keys, what the harness read, and its spec."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.join(os.path.basename(os.path.dirname(path)), os.path.basename(path))

    def file(self, name):
        return os.path.join(self.path, name)

    def has(self, name):
        return os.path.isfile(self.file(name))

    def json(self, name, default=None):
        if not self.has(name):
            return default
        with open(self.file(name), encoding="utf-8") as file:
            return json.load(file)

    @property
    def keys(self):
        return self.json("keys.json", {}) or {}

    @property
    def spec(self):
        return self.json("spec.json", {}) or {}

    def why_not(self):
        """A reason to skip this folder, or None."""
        if self.spec.get("redacted"):
            return "redacted: no keys, no octets"
        return None


def find(roots):
    """Evidence folders at or below the roots, in order of their paths."""
    found = []
    for root in roots:
        for path, dirs, files in os.walk(os.path.realpath(root)):
            dirs.sort()
            if "capture.pcapng" in files:
                found.append(Folder(path))
                dirs[:] = []
    return found


class Tally:
    """Counts, disagreements and skips of one reader."""

    def __init__(self, reader):
        self.reader = reader
        self.counts = {}
        self.problems = []
        self.skips = []
        self.passed = self.failed = 0

    def add(self, name, number=1):
        self.counts[name] = self.counts.get(name, 0) + number

    def problem(self, folder, frame, text):
        where = "%s frame %s" % (folder, frame) if frame else str(folder)
        self.problems.append("%s: %s: %s" % (self.reader, where, text))

    def skip(self, text):
        if text not in self.skips:
            self.skips.append(text)

    def folder(self, before):
        """Counts a folder as passed if no problem came up since there were this many."""
        if len(self.problems) == before:
            self.passed += 1
        else:
            self.failed += 1

    def merge(self, other):
        for name, number in other.counts.items():
            self.add(name, number)
        self.problems += other.problems
        for text in other.skips:
            self.skip(text)
        self.passed += other.passed
        self.failed += other.failed

    def report(self, limit=2000):
        self.disagreements(limit)
        self.summary()

    def disagreements(self, limit):
        for line in self.problems[:limit]:
            print("DISAGREE " + line)
        if len(self.problems) > limit:
            print("DISAGREE %s: %d more" % (self.reader, len(self.problems) - limit))

    def summary(self):
        for line in self.skips:
            print("skip     %s: %s" % (self.reader, line))
        for name in sorted(self.counts):
            print("%-9s %-34s %7d" % (self.reader, name, self.counts[name]))
        print("%s: %d passed, %d failed, %d skipped" % (self.reader, self.passed, self.failed, len(self.skips)))

    def status(self):
        return 1 if self.problems or self.failed else 0
