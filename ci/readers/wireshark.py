#!/usr/bin/python3
"""Lets tshark read the captures: ESP with its ICV, and Phase 1, PULL and Informational down to the payloads."""

import os
import shutil
import subprocess
import sys
import tempfile

import capfile
import espkeys
import folders
import gdoi
import isakmp
import keymath

GROUP = 120     # folders in one run of tshark, which goes through all SAs for each packet

PREFERENCES = """esp.enable_null_encryption_decode_heuristic: FALSE
esp.enable_encryption_decode: TRUE
esp.enable_authentication_check: TRUE
ip.defragment: FALSE
ipv6.defragment: FALSE
"""


def tshark(config, capture, wanted, fields, extra=()):
    """Rows of the fields of the frames that pass a display filter; the first column is the frame number."""
    command = ["tshark", "-n", "-r", capture, "-Y", wanted, "-T", "fields", "-E", "separator=|", "-E", "occurrence=a",
               "-E", "aggregator=,", "-e", "frame.number"]
    for field in fields:
        command += ["-e", field]
    environment = dict(os.environ, WIRESHARK_CONFIG_DIR=config, LC_ALL="C")
    done = subprocess.run(command + list(extra), capture_output=True, env=environment, check=False)
    if done.returncode:
        raise OSError("tshark: " + done.stderr.decode("utf-8", "replace").strip().splitlines()[-1])
    rows = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        parts = line.split("|")
        if parts[0].isdigit():
            rows[int(parts[0])] = parts[1:]
    return rows


# What Wireshark 4.0 calls the transforms that it has: no CCM and no GMAC, and no ICV that covers an extended sequence number.
ENCRYPTION = {
    2: "DES-CBC [RFC2405]", 3: "TripleDES-CBC [RFC2451]", 11: "NULL", 12: "AES-CBC [RFC3602]", 13: "AES-CTR [RFC3686]",
    18: "AES-GCM with 8 octet ICV [RFC4106]", 19: "AES-GCM with 12 octet ICV [RFC4106]",
    20: "AES-GCM with 16 octet ICV [RFC4106]",
}
AUTHENTICATION = {
    1: "HMAC-MD5-96 [RFC2403]", 2: "HMAC-SHA-1-96 [RFC2404]", 5: "HMAC-SHA-256-128 [RFC4868]",
    6: "HMAC-SHA-384-192 [RFC4868]", 7: "HMAC-SHA-512-256 [RFC4868]",
}
UNCHECKED = "[no checking]"


def esp_lines(entry):
    """Lines of Wireshark's table of ESP SAs, one for each IP version; none if it has no such algorithm."""
    cipher, key, auth = ENCRYPTION.get(entry.get("cipher")), entry.get("cipher_key") or "", entry.get("integrity_key") or ""
    number = entry.get("integrity")
    if cipher is None or (not number and (entry.get("esn") or "GCM" not in cipher)) or number and number not in AUTHENTICATION:
        return []
    name = AUTHENTICATION.get(number, "NULL")
    if number and entry.get("esn"):
        name, auth = "ANY %d bit authentication %s" % (espkeys.INTEGRITY[number][2] * 8, UNCHECKED), ""
    keys = ["0x" + k if k else "" for k in (key, auth)]
    return ['"%s","*","*","0x%s","%s","%s","%s","%s"' % (version, entry["spi"], cipher, keys[0], name, keys[1])
            for version in ("IPv4", "IPv6")]


class Job:
    """One folder: its keys as tshark takes them, and its frames while its group is read."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = folder.keys
        entries = self.keys.get("entries") or []
        self.spis, self.cookies = {}, {}
        for entry in entries:
            if entry.get("kind") == "traffic" and entry.get("spi"):
                self.spis.setdefault(entry["spi"], set()).add(tuple(esp_lines(entry)))
            elif entry.get("kind") == "phase1" and entry.get("cookie_i"):
                self.cookies.setdefault(entry["cookie_i"], set()).add(entry.get("cipher_key") or "")
        self.lines = sorted(line for found in self.spis.values() for lines in found for line in lines)
        self.frames, self.messages, self.features = [], [], set()

    def load(self):
        """Lets the second decoder read the capture."""
        self.frames = capfile.read(self.folder.file("capture.pcapng"))
        reader = gdoi.Reader(self.keys)
        self.messages = [reader.frame(frame) for frame in self.frames]
        if {"ESP", "PULL4"} <= {m.kind for m in self.messages}:
            # what a profile has to cope with
            self.features = {line.split(",")[4] for line in self.lines} | {
                "IPv%d" % f.ip.version for f, m in zip(self.frames, self.messages) if m.kind in ("ESP", "MM5")}

    def has_udp_esp(self):
        """Whether there is ESP in UDP, as far as the second decoder can tell."""
        return any(f.ip is not None and f.ip.proto == 17 and 4500 in (f.ip.sport, f.ip.dport) for f in self.frames)

    def unload(self):
        self.frames, self.messages = [], []

    def proves(self, spi):
        """Whether tshark can tell that an ICV under this SPI is right."""
        return all(lines and not any(UNCHECKED in line for line in lines) for lines in self.spis.get(spi) or [()])

    def clashes(self, spis, cookies):
        return any(spis.get(s, v) != v for s, v in self.spis.items()) or \
            any(cookies.get(c, v) != v for c, v in self.cookies.items())


def groups(jobs):
    """Lists of folders whose SPIs and cookies do not get in each other's way."""
    out = []
    for job in jobs:
        for one in out:
            if len(one[0]) < GROUP and not job.clashes(one[1], one[2]):
                break
        else:
            one = ([], {}, {})
            out.append(one)
        one[0].append(job)
        one[1].update(job.spis)
        one[2].update(job.cookies)
    return [one[0] for one in out]


def write_config(place, jobs):
    os.makedirs(place, exist_ok=True)
    texts = {
        "preferences": PREFERENCES,
        "esp_sa": "".join(line + "\n" for line in sorted({l for job in jobs for l in job.lines})),
        "ikev1_decryption_table": "".join(sorted({"%s,%s\n" % (c, k) for job in jobs for c, keys in job.cookies.items()
                                                  for k in keys if k})),
        "decode_as_entries": "decode_as_entry: udp.port,848,(none),ISAKMP\n",
    }
    for name, text in texts.items():
        with open(os.path.join(place, name), "w", encoding="utf-8") as file:
            file.write(text)


def merged(work, name, jobs):
    """All captures of this name one after the other, and the number of frames before each of them."""
    paths = [job.folder.file(name) for job in jobs]
    out = os.path.join(work, name)
    if len(paths) == 1:
        return paths[0]
    done = subprocess.run(["mergecap", "-a", "-w", out] + paths, capture_output=True, check=False)
    if done.returncode:
        raise OSError("mergecap: " + done.stderr.decode("utf-8", "replace").strip())
    return out


def read_group(jobs, tally):
    with tempfile.TemporaryDirectory() as work:
        config = os.path.join(work, "config")
        write_config(config, jobs)
        tally.add("groups of captures")
        for job in jobs:
            job.load()
        # What is inside is wanted as octets, so nothing may read it on; and UDP only where ESP is in it.
        rows, passes = {}, [("esp", ("icmp", "icmpv6", "tcp", "udp"))]
        if any(job.has_udp_esp() for job in jobs):
            passes.insert(0, ("udpencap && esp", ("icmp", "icmpv6", "tcp")))
        for wanted, off in passes:
            rows.update(tshark(config, merged(work, "capture.pcapng", jobs), wanted,
                               ["esp.spi", "esp.icv_good", "esp.icv_bad", "esp.contained_data", "esp.sequence"],
                               [a for name in off for a in ("--disable-protocol", name)]))
        base = 0
        for job in jobs:
            check_esp(job, base, rows, tally)
            base += len(job.frames)
        if all(job.folder.has("phase1.pcapng") for job in jobs):
            rows = tshark(config, merged(work, "phase1.pcapng", jobs), "isakmp",
                          ["isakmp.exchangetype", "isakmp.typepayload", "isakmp.payloadlength"])
            base = 0
            for job in jobs:
                check_isakmp(job, base, rows, tally)
                base += len(job.frames)
        for job in jobs:
            job.unload()


def malformed(inner):
    """Whether what was opened is no whole IP packet."""
    ip = capfile.parse_ip(inner) if inner else None
    return ip is None or bool(ip.error)


def check_esp(job, base, rows, tally):
    for frame, message in zip(job.frames, job.messages):
        if message.kind != "ESP" or frame.ip is None or frame.ip.fragment:
            continue
        if len(frame.ip.udp if frame.ip.proto == 17 else frame.ip.payload) < 8:
            continue
        row = rows.get(base + frame.number)
        if row is None and frame.ip is not None and frame.ip.fragment:
            # In a merged capture, fragments of several folders may share addresses and identification.
            tally.add("messages in fragments, not put together")
            continue
        if row is None and frame.ip.proto == 17 and frame.ip.dport != 4500:
            tally.add("ESP in UDP to a port of something else")
            continue
        if row is None:
            tally.problem(job.folder.name, frame.number, "tshark sees no ESP")
            continue
        tally.add("ESP packets")
        spi, good, wrong, inner, sequence = row
        if int(spi.split(",")[0] or "0", 16) != int.from_bytes(message.payloads[0].value, "big") or \
                int(sequence.split(",")[0] or "0") != message.payloads[1].value:
            tally.problem(job.folder.name, frame.number, "tshark: SPI %s, sequence number %s" % (spi, sequence))
        result, found = message.checks.get("ICV"), job.spis.get(message.payloads[0].value.hex())
        if not found:
            tally.add("ESP packets of an unknown SPI")
            continue
        if found == {()}:
            tally.add("ESP packets of a transform that tshark does not have")
            continue
        good, wrong = good.split(",")[0], wrong.split(",")[0]    # behind them those of ESP inside
        says = keymath.OK if good in ("1", "True") else keymath.BAD if wrong in ("1", "True") else keymath.UNCHECKED
        if result == keymath.BAD and says != keymath.OK:
            tally.add("ESP agreed bad")
            continue
        if len(found) > 1 and result == keymath.OK and says != keymath.OK:
            tally.add("ESP packets of an SPI with several keys, of which tshark tries one")
            continue
        if result == keymath.OK and says == keymath.UNCHECKED and malformed(message.inner):
            tally.add("ESP with something malformed inside, which tshark does not come back from")
            continue
        blind = all(UNCHECKED in line for lines in found for line in lines)
        if says != result and not (blind and says == keymath.UNCHECKED and inner):
            tally.problem(job.folder.name, frame.number, "tshark: ICV %s, second decoder %s" % (says, result))
            continue
        if blind:
            tally.add("ESP decrypted, ICV not looked at")
        else:
            tally.add("ESP with the ICV right")
        if message.error or message.inner is None:
            continue
        if not inner[2 * message.headers:].startswith(message.inner.hex()):
            tally.problem(job.folder.name, frame.number, "tshark has other octets inside")
        else:
            tally.add("inner packets the same")


def expected(message):
    """Types and lengths of payloads in the order in which tshark meets them, and whether the list is whole."""
    out = []
    for node in message.payloads:
        out.append((node.number, node.length))
        if node.number == isakmp.SA:
            if message.header["exchange"] != isakmp.IDENTITY_PROTECTION:
                return out, False
            for proposal in (k for k in node.kids if k.name == "P"):
                out.append((isakmp.P, proposal.length))
                out += [(isakmp.T, k.length) for k in proposal.kids if k.name == "T"]
    return out, True


def check_isakmp(job, base, rows, tally):
    altered = set()
    for frame, message in zip(job.frames, job.messages):
        if message.header is None:
            continue
        pair = message.header["initiator_cookie"]
        if message.error or message.remarks or keymath.BAD in message.checks.values() or \
                message.encrypted and not message.decrypted:
            altered.add(pair)
            continue
        if message.header["exchange"] not in (2, 5, 32) or message.kind == "unknown" or message.header["version"] != 0x10:
            altered.add(pair)
            continue
        row = rows.get(base + frame.number)
        if row is None and frame.ip is not None and frame.ip.fragment:
            # In a merged capture, fragments of several folders may share addresses and identification.
            tally.add("messages in fragments, not put together")
            continue
        if row is None and frame.ip is not None and 4500 not in (frame.ip.sport, frame.ip.dport) and frame.ip.udp[:4] == bytes(4):
            tally.add("messages behind a marker on a port that has none")
            continue
        if row is None:
            tally.problem(job.folder.name, frame.number, "tshark sees no ISAKMP")
            continue
        want, whole = expected(message)
        kinds = [int(k) for k in row[1].split(",") if k]
        sizes = [int(k) for k in row[2].split(",") if k]
        got = list(zip(kinds, sizes))
        if got[:len(want)] == want and (not whole or len(kinds) == len(want)):
            tally.add("messages the same, " + message.kind)
        elif pair in altered or message.repeats or job.folder.spec.get("negative"):
            # tshark moves its IV chain on with whatever comes by
            tally.add("messages that tshark lost its way in")
            altered.add(pair)
        else:
            tally.problem(job.folder.name, frame.number, "tshark: payloads %s, second decoder %s" % (got, want))


def check_profile(job, tally, both):
    """Whether the profile that comes with a folder works as it stands; both: in each of the two ways of choosing one."""
    shipped = job.folder.file("wireshark")
    job.load()
    with tempfile.TemporaryDirectory() as work:
        config = os.path.join(work, "config")
        shutil.copytree(shipped, config)
        profile = os.path.join(work, "home", "profiles", "evidence")
        shutil.copytree(shipped, profile)
        ways = [(os.path.join(work, "home"), ("-C", "evidence")), (config, ())]
        for place, extra in ways if both else ways[:1]:
            rows = tshark(place, job.folder.file("capture.pcapng"), "esp.icv_good == 1", ["esp.icv_good"], extra)
            want = sum(1 for f, m in zip(job.frames, job.messages) if m.kind == "ESP" and not f.ip.fragment and
                       m.checks.get("ICV") == keymath.OK and job.proves(m.payloads[0].value.hex()))
            if len(rows) < want:
                tally.problem(job.folder.name, 0, "its profile opens %d ESP packets of %d" % (len(rows), want))
            else:
                tally.add("profile: ESP packets opened", len(rows))
            rows = tshark(place, job.folder.file("phase1.pcapng"), "isakmp", ["isakmp.typepayload"], extra)
            pulls = [m for m in job.messages if m.kind in ("MM5", "MM6", "PULL1", "PULL4") and m.decrypted and
                     not m.error]
            lost = [m.number for m in pulls
                    if rows.get(m.number, [""])[0].split(",")[:len(m.payloads)] != [str(p.number) for p in m.payloads]]
            if lost:
                tally.problem(job.folder.name, lost[0], "its profile does not open this message")
            else:
                tally.add("profile: messages opened", len(pulls))
        tally.add("profiles tried")
    job.unload()


def different(jobs):
    """As many folders as it takes to have every feature once."""
    out, seen = [], set()
    for job in jobs:
        if not job.features <= seen:
            out.append(job)
            seen |= job.features
    return out


def run(found, tally=None):
    tally = tally or folders.Tally("wireshark")
    for tool in ("tshark", "mergecap"):
        if shutil.which(tool) is None:
            tally.skip("%s is missing" % tool)
    if tally.skips:
        return tally
    jobs = []
    for folder in found:
        why = folder.why_not()
        if why:
            tally.skip("%s: %s" % (folder.name, why))
            continue
        jobs.append(Job(folder))
    try:
        for group in groups(jobs):
            read_group(group, tally)
    except (capfile.CaptureError, OSError) as err:
        tally.problem("all", 0, str(err))
    whole = [job for job in jobs if job.features and os.path.isdir(job.folder.file("wireshark")) and
             not job.folder.spec.get("negative")]
    for number, job in enumerate(different(whole)):
        try:
            check_profile(job, tally, number == 0)
        except (capfile.CaptureError, OSError) as err:
            tally.problem(job.folder.name, 0, str(err))
    if not whole:
        tally.skip("profiles: no folder holds both ESP and PULL")
    hurt = {line.split(": ")[1].split(" frame ")[0] for line in tally.problems}
    tally.failed += len(hurt)
    tally.passed += len(jobs) - len(hurt & {job.folder.name for job in jobs})
    return tally


def main(args):
    if not args:
        print("usage: wireshark.py DIR…", file=sys.stderr)
        return 2
    tally = run(folders.find(args))
    tally.report()
    if not tally.skips and not (tally.counts.get("ESP packets") or
                                any(n.startswith("messages the same") for n in tally.counts)):
        print("wireshark: nothing was read")
        return 1
    return tally.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
