# SPDX-License-Identifier: MIT
"""profiles.py OURS DEFAULT: what the container with the runtime's configuration
OURS may call that the one with DEFAULT may not, one a line; then, of OURS, the
families of sockets, and calls that may set a set-id bit or are not needed."""
import itertools
import json
import sys

SETID = 0o6000
CREATE = 0o100 | 0o20000000
# Where a call's mode stands, and where the flags without which it is not read.
MODES = {"chmod": (1, None), "fchmod": (1, None), "creat": (1, None),
         "mknod": (1, None), "fchmodat": (2, None), "fchmodat2": (2, None),
         "mknodat": (2, None), "open": (2, 1), "openat": (3, 2)}


def read(path):
    with open(path) as f:
        seccomp = json.load(f)["linux"]["seccomp"]
    assert seccomp["defaultAction"] == "SCMP_ACT_ERRNO", "no allow-list"
    rules = {}
    for entry in seccomp["syscalls"]:
        if entry["action"] == "SCMP_ACT_ERRNO":
            continue
        assert entry["action"] == "SCMP_ACT_ALLOW", entry
        for name in entry["names"]:
            rules.setdefault(name, []).append(entry.get("args") or [])
    return rules, set(seccomp["architectures"])


def holds(rule, args):
    is_ = args.get(rule["index"], 0)
    value = rule.get("value", 0)
    two = rule.get("valueTwo", 0)
    return {"SCMP_CMP_EQ": is_ == value, "SCMP_CMP_NE": is_ != value,
            "SCMP_CMP_LT": is_ < value, "SCMP_CMP_LE": is_ <= value,
            "SCMP_CMP_GT": is_ > value, "SCMP_CMP_GE": is_ >= value,
            "SCMP_CMP_MASKED_EQ": is_ & value == two}[rule["op"]]


def allowed(rules, name, args):
    return any(all(holds(rule, args) for rule in entry)
               for entry in rules.get(name, []))


def vectors(*all_rules):
    """Arguments that tell the rules of one call apart."""
    values = {}
    for rule in itertools.chain(*itertools.chain(*all_rules)):
        of = values.setdefault(rule["index"], {0, 2**32 - 1, 2**64 - 1}
                               | {1 << bit for bit in range(64)})
        for known in rule.get("value", 0), rule.get("valueTwo", 0):
            of |= {known, known + 1, max(known - 1, 0)}
    for choice in itertools.product(*(sorted(v) for v in values.values())):
        yield dict(zip(values, choice))


def main(ours_path, default_path):
    ours, architectures = read(ours_path)
    default, wanted = read(default_path)
    for name in sorted(architectures - wanted):
        print("architecture", name)
    for name in sorted(ours):
        for args in vectors(ours[name], default.get(name, [])):
            if allowed(ours, name, args) and not allowed(default, name, args):
                print("wider:", name, args)
                break
    print("families", *[n for n in range(4096)
                        if allowed(ours, "socket", {0: n})])
    print("pairs", *[n for n in range(4096)
                     if allowed(ours, "socketpair", {0: n})])
    for name, (mode, flags) in MODES.items():
        for bits in range(0o10000):
            args = {mode: bits} if flags is None else {mode: bits, flags: 0o101}
            if allowed(ours, name, args) != (bits & SETID == 0):
                print("set-id:", name, oct(bits))
                break
    for name in ("bpf", "clone3", "io_uring_setup", "keyctl", "mount",
                 "openat2", "perf_event_open", "setns", "socketcall",
                 "unshare", "userfaultfd"):
        if name in ours:
            print("needless:", name)


main(*sys.argv[1:])
