"""Runs the tests of the second decoder and the three readers over evidence folders, and sums up. See run.sh."""

import concurrent.futures
import gc
import io
import os
import sys
import unittest

import compare
import esp
import folders
import wireshark

SHARES = {"wireshark": 2, "esp": 4, "compare": 4}   # of the folders, for as many jobs; long ones first
READERS = {"compare": compare.run, "esp": esp.run, "wireshark": wireshark.run}


def tests():
    """The decoder's own tests."""
    tally = folders.Tally("tests")
    here = os.path.dirname(os.path.abspath(__file__))
    suite = unittest.defaultTestLoader.discover(here, pattern="test_*.py")
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    for test, text in result.failures + result.errors:
        tally.problem(test.id(), 0, text.strip().splitlines()[-1])
    tally.failed = len(result.failures) + len(result.errors)
    tally.passed = result.testsRun - tally.failed
    return tally


def work(name, roots, share):
    """One reader over every share[1]-th folder from share[0] on."""
    gc.set_threshold(500_000, 20, 20)   # trees of payloads are many, and without cycles
    if name == "tests":
        return tests()
    tally = folders.Tally(name)
    try:
        return READERS[name](folders.find(roots)[share[0]::share[1]], tally)
    except Exception as err:  # pylint: disable=broad-except
        tally.problem("the reader", 0, "%s: %s" % (type(err).__name__, err))
        tally.failed += 1
        return tally


def main(roots):
    found = folders.find(roots)
    jobs = [(name, (n, shares)) for name, shares in SHARES.items() for n in range(shares)] + [("tests", (0, 1))]
    tallies = {}
    with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
        for tally in pool.map(work, [j[0] for j in jobs], [roots] * len(jobs), [j[1] for j in jobs]):
            if tally.reader in tallies:
                tallies[tally.reader].merge(tally)
            else:
                tallies[tally.reader] = tally
    order = [tallies[name] for name in ("tests", "compare", "esp", "wireshark")]
    for tally in order:
        tally.summary()
    counts = tallies["compare"].counts
    messages = sum(n for name, n in counts.items() if name.startswith("messages ") and
                   name.split()[1] not in ("clear", "other", "fragment", "ESP"))
    packets = counts.get("messages ESP", 0)
    checks = sum(n for name, n in counts.items() if name.startswith(("checks ", "own checks")))
    print("%d folders: %d messages, %d ESP packets, %d checks, %d fields agreed" % (
        len(found), messages, packets, checks, counts.get("fields and boundaries", 0)))
    for tally in order:     # last, where somebody looks who sees only the end of it
        tally.disagreements(100)
    failed = sum(t.failed for t in order)
    if messages == 0:
        print("DISAGREE readers: no message was read")
        failed += 1
    elif any(t.problems for t in order) and not failed:
        failed = 1
    print("readers: %d passed, %d failed, %d skipped" % (
        sum(t.passed for t in order), failed, sum(len(t.skips) for t in order)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
