# SPDX-License-Identifier: MIT
"""The commands that are swept; a new one is a new entry here."""
import os
import subprocess


class Scenario:
    def __init__(self, name, args, status, done, images=True, live=True,
                 prepare=None, calls=None, weight=1, claims=None,
                 check=None, rerun=None):
        self.name = name
        self.rerun = rerun or args
        self.args = args
        self.status = status
        self.done = done  # (bed, run) -> whether what it says is so
        self.images = images
        self.live = live
        self.prepare = prepare or (lambda bed: None)
        self.calls = calls  # None: all
        self.weight = weight
        self.claims = claims  # what it says of success
        self.check = check or (lambda bed, run: [])  # what else always holds


def mark(bed):
    try:
        with open(bed.path("project/mark")) as f:
            return f.read()
    except FileNotFoundError:
        return ""


def shell_done(bed, run):
    return mark(bed) == "ran\n" and run.out == "said\n"


def run_done(bed, run):
    return mark(bed) == "ran\n"


def plan_done(bed, run):
    return '"services"' in run.out or "agent" in run.out


def config_done(bed, run):
    return "base_image = base\n" in run.out and "pass_env" in run.out


def build_done(bed, run):
    tags = os.path.join(bed.world, "tags")
    if not os.path.exists(tags):
        return False
    with open(tags) as f:
        lines = f.read().split()
    ids = [w[7:] for w in lines if w.startswith("sha256:")]
    return len(ids) >= 2 and all(os.path.exists(
        os.path.join(bed.world, "images", i)) for i in ids)


def leave_dead(bed):
    """A session whose client was killed, and whose command ended by that."""
    bed.accept()
    p = subprocess.Popen(
        bed.command(["shell", "@PROJECT@", "--", "/bin/sh", "-c",
                     "echo ready; read x"]),
        env=bed.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, cwd="/")
    p.stdout.readline()
    p.kill()
    p.communicate()
    bed.end_others(15)


def write_host(bed, theme):
    """The agent's configuration on the host, two files that belong together."""
    os.makedirs(bed.path("home/.claude/commands"), exist_ok=True)
    with open(bed.path("home/.claude/settings.json"), "w") as f:
        f.write('{"theme": "%s"}\n' % theme)
    with open(bed.path("home/.claude/commands/theme.md"), "w") as f:
        f.write(theme + "\n")


def themes(bed):
    """Of the snapshot: None without one, else what each file says."""
    top = os.path.join(bed.state, "agents/claude/snapshot")
    if not os.path.isdir(top):
        return None
    found = set()
    names = set()
    for d, _, files in os.walk(top):
        for name in files:
            if name in ("settings.json", "theme.md"):
                names.add(name)
                with open(os.path.join(d, name)) as f:
                    found.add("new" if "new" in f.read() else "old")
    # Of a home without any there is a snapshot, too.
    if not names:
        return None
    return found if len(names) == 2 else {"partial"}


def sync_check(bed, run):
    """Old or new; what could not be read is named, and the status says it."""
    now = themes(bed)
    if run.status == 1 and "skipped .claude" in run.err:
        return []
    return [] if now in (None, {"old"}, {"new"}) else [
        "the snapshot is partial: %s" % now]


def sync_done(bed, run):
    return themes(bed) == {"new"}


def prepare_first(bed):
    write_host(bed, "new")


def prepare_changed(bed):
    write_host(bed, "old")
    bed.plain(["sync"], check=True)
    write_host(bed, "new")


def prepare_same(bed):
    write_host(bed, "new")
    bed.plain(["sync"], check=True)


def gc_done(bed, run):
    return os.listdir(os.path.join(bed.state, "sessions")) == [bed.live]


SHELL = ["shell", "@PROJECT@", "--", "/bin/sh", "-c",
         "echo ran >>mark; echo said; exit 42"]

ALL = [
    Scenario("first-shell", SHELL, 42, shell_done, live=False, weight=3),
    Scenario("used-shell", SHELL, 42, shell_done, prepare=leave_dead,
             weight=3),
    Scenario("run", ["run", "--agent", "fake", "@PROJECT@"], 42, run_done,
             weight=2),
    Scenario("dood-shell", ["shell", "--mode", "dood"] + SHELL[1:], 42,
             shell_done),
    Scenario("plan", ["plan", "@PROJECT@"], 0, plan_done),
    Scenario("build", ["build"], 0, build_done, images=False, live=False,
             claims=r"^(agent|egress) +sha256:"),
    Scenario("sync-first", ["sync"], 0, sync_done, prepare=prepare_first,
             check=sync_check, rerun=["sync", "--force"]),
    Scenario("sync-changed", ["sync"], 0, sync_done, prepare=prepare_changed,
             check=sync_check, rerun=["sync", "--force"]),
    Scenario("sync-same", ["sync"], 0, sync_done, prepare=prepare_same,
             check=sync_check, rerun=["sync", "--force"], weight=0.3),
    Scenario("gc", ["gc"], 0, gc_done, prepare=leave_dead),
    Scenario("config", ["config"], 0, config_done, weight=0.3),
]
