# SPDX-License-Identifier: MIT
"""The commands that are swept; a new one is a new entry here."""
import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess

import patches
from bed import CANARY
from sessions import (
    ADOPT, EXEC, RESTORE, TYPED, adopt_again, adopt_check, adopt_done,
    attach_again, attach_check, attach_done, beside_check, change_engine,
    change_files, crash_holder, crashed_done, exec_again, exec_done,
    forced_again, logs_again, logs_done, lose_container,
    lose_digest, mark, put, reseal_again, reseal_check, reseal_done,
    restore_again, restore_check, restore_done, resume_again, resume_check,
    start_detached, stop_again, stop_check, stop_done, stop_outside,
    write_logs)


class Scenario:
    def __init__(self, name, args, status, done, images=True, live=True,
                 prepare=None, weight=1, claims=None, check=None,
                 given="", settings="", secrets=(), keeps=False, loads=False,
                 fresh=None, again=None, steps=None, only_asks=False,
                 launches=False, syncs=False, leaves=None, lasts=False,
                 prints=False, alike=False, library=None, sparse=1):
        self.name = name
        self.args = args
        self.status = status
        self.done = done  # (bed, run) -> whether what it says is so
        self.images = images
        self.live = live  # beside a session that nothing may touch
        self.prepare = prepare or (lambda bed: None)  # once
        self.fresh = fresh or (lambda bed: None)  # before each run,
        self.lasts = lasts  # or when what it did is gone
        self.weight = weight  # of a sample
        self.claims = claims  # what it says of success
        self.check = check or (lambda bed, run: [])  # what else always holds
        self.again = again  # (bed) -> problems, in place of args once more
        self.given = given  # on standard input
        self.steps = steps  # on a terminal: what is awaited, what is typed
        self.settings = settings  # lines of drydock.conf
        self.secrets = secrets  # the host's own files with the canary
        self.keeps = keeps  # a token
        self.only_asks = only_asks  # needs no lease
        self.leaves = leaves  # what it says with status 0 of a lost terminal
        self.prints = prints  # with one status always the same
        self.sparse = sparse  # of each Nth fault, each of so many
        self.alike = alike  # does what others do, in another order
        self.launches = launches  # a session,
        self.syncs = syncs  # and brings the host's configuration to it
        self.loads = loads  # the dynamic linker's calls are failed, too
        self.library = library  # those that load this library are


def shell_done(bed, run):
    """Where the connection was lost the status is the engine's to tell; of
    what was said the beginning is there."""
    return mark(bed) == "ran\n" and (run.out == "said\n" or (
        "said\n".startswith(run.out) and re_find(
            "was lost before the command ended: some of its output may", run.err)))


def run_done(bed, run):
    return mark(bed) == "ran\n"


def plan_done(bed, run):
    return "agent" in run.out


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
    p = subprocess.Popen(
        bed.command(["shell", "@PROJECT@", "--", "/bin/sh", "-c",
                     "echo ready; read x"]),
        env=bed.learning(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, cwd="/")
    p.stdout.readline()
    p.kill()
    p.communicate()
    bed.end_others(signal.SIGTERM)


def write_host(bed, theme):
    """The agent's configuration on the host, two files that belong together."""
    os.makedirs(bed.path("home/.claude/commands"), exist_ok=True)
    with open(bed.path("home/.claude/settings.json"), "w") as f:
        f.write('{"theme": "%s"}\n' % theme)
    with open(bed.path("home/.claude/commands/theme.md"), "w") as f:
        f.write(theme + "\n")


PAIR = ("settings.json", "commands/theme.md")


def themes(bed):
    """Of the snapshot: what each file of the pair that is there says."""
    top = os.path.join(bed.state, "agents/claude/snapshot")
    found = {}
    for d, _, files in os.walk(top):
        for name in files:
            where = os.path.relpath(os.path.join(d, name), top)
            for part in PAIR:
                if where.endswith(part):
                    with open(os.path.join(d, name)) as f:
                        found[part] = "new" if "new" in f.read() else "old"
    return found


def is_skipped(run, part):
    """Whether it, or what it is in, cannot be read, and that is said."""
    path = ".claude/" + part
    said = re.findall(r"skipped (\S+): it cannot be read", run.err)
    return any(path == s or path.startswith(s + "/") for s in said)


def lacks_skipped_alone(run, found):
    return set(found.values()) <= {"new"} and all(
        part in found or is_skipped(run, part) for part in PAIR)


def sync_check(bed, run):
    """Old or new; what cannot be read is named, and the status says it."""
    now = themes(bed)
    if not now or (len(now) == 2 and len(set(now.values())) == 1):
        return []
    if run.status == 1 and lacks_skipped_alone(run, now):
        return []
    return ["the snapshot is partial: %s" % now]


def sync_done(bed, run):
    """All of it, or with status 1 what could be read."""
    now = themes(bed)
    return now == dict.fromkeys(PAIR, "new") or (
        run.status == 1 and lacks_skipped_alone(run, now))


SEEN = "cat ~/.claude/settings.json ~/.claude/commands/theme.md >>mark; "


def seed_done(bed, run):
    """What the session saw belongs together, and is new unless it was told."""
    said = mark(bed).split("\n")[:-1]
    if "configuration is not synced" in run.err:
        return said in (['{"theme": "old"}', "old"],
                        ['{"theme": "new"}', "new"])
    found = {part: "new" for part, words in zip(
        PAIR, ('{"theme": "new"}', "new")) if words in said}
    return len(found) == len(said) and lacks_skipped_alone(run, found)


def prepare_first(bed):
    write_host(bed, "new")


def prepare_changed(bed):
    write_host(bed, "old")
    bed.plain(["sync"], check=True)
    write_host(bed, "new")


def prepare_same(bed):
    """And until what was just written is older than the clock's last tick."""
    write_host(bed, "new")
    for _ in range(1000):
        run = bed.plain(["sync"], check=True)
        if "nothing changed" in run.out + run.err:
            return
    raise RuntimeError("a sync never has nothing to do")


def gc_done(bed, run):
    return os.listdir(os.path.join(bed.state, "sessions")) == [bed.live]


def leave_much(bed):
    """Two that ended, a launch that died early, and a removal that did."""
    leave_dead(bed)
    leave_dead(bed)
    for name in ("sessions/00002222", "sessions/00003333/home/x",
                 "trash/cccc4444/home/y"):
        os.makedirs(os.path.join(bed.state, name), mode=0o700)
    for name in ("00002222", "00003333"):
        open(os.path.join(bed.state, "sessions", name, "lease"), "w").close()
    os.symlink(os.path.join(bed.state, "sessions/dddd5555/run"),
               bed.path("runtime/drydock/dddd5555"))
    # What an agent may have left in its home.
    put(bed, "home/kept/one", "one\n")
    for name in ("sessions/00003333/home/x", "trash/cccc4444/home/y"):
        os.symlink(bed.path("home"), os.path.join(bed.state, name, "link"))


def gc_check(bed, run):
    """What is said to be removed is."""
    left = set(re.findall(r"^(\w{8}) removed$", run.out, re.M)) & set(
        os.listdir(os.path.join(bed.state, "sessions")))
    return ["%s is not removed" % i for i in left]


def much_check(bed, run):
    """Nothing is removed through a link."""
    bad = gc_check(bed, run)
    return bad if os.path.exists(bed.path("home/kept/one")) else bad + [
        "what a link in a session's home led to is gone"]


def much_done(bed, run):
    return gc_done(bed, run) and os.listdir(
        os.path.join(bed.state, "trash")) == [] and not os.path.lexists(
            bed.path("runtime/drydock/dddd5555"))


def slot(bed, number, name=""):
    """A slot of caches of the project's, or a file of it."""
    project = os.path.realpath(bed.path("project"))
    digits = hashlib.sha256(project.encode()).hexdigest()[:16]
    return os.path.join(bed.state, "caches", "%s-%s-contained" % (
        digits, os.path.basename(project)), str(number), name)


BOOT = "00000000-0000-0000-0000-000000000000"


def make_slot(bed, number, owner):
    os.makedirs(slot(bed, number, "data"), mode=0o700)
    for name, text in (("data/mark", "mark\n"), ("owner", owner)):
        with open(slot(bed, number, name), "w") as f:
            f.write(text)


def leave_slots(bed):
    """One that the live session has, and one that a session had; both were used
    long ago."""
    make_slot(bed, 0, "%s %s" % (bed.live, BOOT))
    make_slot(bed, 1, "aaaa1111 " + BOOT)
    for number in (0, 1):
        os.utime(slot(bed, number, "owner"), (1e9, 1e9))


def has(bed, number):
    return os.path.exists(slot(bed, number, "owner")) and os.path.exists(
        slot(bed, number, "data/mark"))


def slots_check(bed, run):
    """No slot of somebody's is touched, each is whole or gone, and what is
    written of it is."""
    bad = [] if has(bed, 0) else ["slot 0 is touched"]
    top = os.path.dirname(slot(bed, 0).rstrip("/"))
    for number in os.listdir(top) if os.path.isdir(top) else []:
        for name, form in (("owner", r"\w{8} ([0-9a-f-]{36}|unknown)"),
                           ("usage", r"\w{8} \d+ \d+ (whole|part)\n")):
            path = os.path.join(top, number, name)
            if os.path.isfile(path):
                with open(path) as f:
                    text = f.read()
                if not re.fullmatch(form, text):
                    bad.append("%s is partial: %r" % (path, text))
        if os.path.exists(os.path.join(top, number, "owner")) and (
                not os.path.isdir(os.path.join(top, number, "data"))):
            bad.append("slot %s was given without data/" % number)
    return bad


def slots_kept(bed, run):
    """And the free one keeps what is in it, whoever has it."""
    bad = slots_check(bed, run)
    return bad if has(bed, 1) else bad + ["slot 1 is not whole"]


def slots_gc_check(bed, run):
    bad = slots_check(bed, run)
    if os.path.exists(slot(bed, 1)) and not has(bed, 1):
        bad.append("half of slot 1 is left")
    return bad


def slots_done(bed, run):
    return not os.path.exists(slot(bed, 1))


UNNEEDED = "f" * 64


def leave_image(bed):
    """An image of an agent that no settings name, and one that is gone."""
    record = os.path.join(bed.state, "images.json")
    with open(record) as f:
        built = json.load(f)
    agent = [i for i in built["images"] if i["kind"] == "agent"][-1]
    images = os.path.join(bed.world, "images")
    with open(os.path.join(images, agent["image"][7:])) as f:
        text = f.read().replace(agent["image"], "sha256:" + UNNEEDED)
    with open(os.path.join(images, UNNEEDED), "w") as f:
        f.write(text)
    for digest in (UNNEEDED, "e" * 64):
        built["images"].insert(0, dict(
            agent, image="sha256:" + digest, context="other",
            recipe="agent other"))
    with open(os.path.join(images, UNNEEDED)) as f:
        text = f.read().replace(agent["context"], "other")
    with open(os.path.join(images, UNNEEDED), "w") as f:
        f.write(text)
    with open(record, "w") as f:
        json.dump(built, f)


def images_left(bed):
    """The ids in the record, and whether the engine has them."""
    with open(os.path.join(bed.state, "images.json")) as f:
        ids = [i["image"][7:] for i in json.load(f)["images"]]
    return {i: os.path.exists(os.path.join(bed.world, "images", i))
            for i in ids}


def images_done(bed, run):
    """Or what a name service that fails may need is what stays."""
    if "has no name now" in run.err:
        return True
    left = images_left(bed)
    return len(left) >= 2 and all(left.values()) and UNNEEDED not in left


def images_check(bed, run):
    """What is needed stays; what is said to be removed is."""
    left = images_left(bed)
    if " removed" in run.out and os.path.exists(
            os.path.join(bed.world, "images", UNNEEDED)):
        return ["the image is not removed"]
    needed = [i for i in left if i not in (UNNEEDED, "e" * 64)]
    return [] if len(needed) >= 2 and all(left[i] for i in needed) else [
        "an image that is needed is gone"]


def list_done(bed, run):
    """Or what could not be found out of it is what is listed."""
    return re_find(r"^%s +(running|detached|damaged|engine silent) " %
                   bed.live, run.out)


def re_find(pattern, text):
    return re.search(pattern, text, re.M) is not None


# Configuration.

def no_config(bed):
    """Nothing but the record of images, which building has made."""
    write_host(bed, "new")
    for d in ("config", "runtime"):
        subprocess.run(["rm", "-rf", bed.path(d)], check=True)
        os.mkdir(bed.path(d), 0o700)


def setup_done(bed, run):
    return (sync_done(bed, run) and "no token is kept" in run.out and
            os.path.isdir(bed.path("config/drydock/home.d/claude")))


OLD_TOKEN = "sk-ant-old-" + CANARY
NEW_TOKEN = "sk-ant-new-" + CANARY


def token_path(bed):
    return os.path.join(bed.state, "tokens/claude")


def token_text(bed):
    try:
        with open(token_path(bed)) as f:
            return f.read()
    except FileNotFoundError:
        return None


def keep_token(bed):
    bed.plain(["token", "set"], given=OLD_TOKEN, check=True)


def token_set_done(bed, run):
    return token_text(bed) == NEW_TOKEN


def fill_beside(bed):
    """Another process is about to put a token into its place."""
    put(bed, os.path.relpath(temporary(bed), bed.root), "")
    bed.held = open(temporary(bed))
    fcntl.flock(bed.held, fcntl.LOCK_EX | fcntl.LOCK_NB)


def temporary(bed):
    return os.path.join(bed.state, "tokens/.claude.0123456789ab")


def token_check(bed, run):
    """Old or new; and whole."""
    now = token_text(bed)
    return [] if now in (None, OLD_TOKEN, NEW_TOKEN) else [
        "the token is %r" % now]


def token_kept(bed, run):
    bad = token_check(bed, run)
    return bad if token_text(bed) is not None else bad + ["the token is gone"]


def token_beside(bed, run):
    bad = token_kept(bed, run)
    return bad if os.path.exists(temporary(bed)) else bad + [
        "what another process fills is gone"]


def token_gone(bed, run):
    return not os.path.exists(token_path(bed))


def token_told(bed, run):
    return re_find("^claude: ", run.out)


def remove_again(bed):
    """It may be done already."""
    run = bed.plain(["token", "remove"])
    return [] if run.status in (0, 1) and token_gone(bed, run) else [
        "token remove: status %d: %s" % (run.status, run.err)]


def write_all(bed):
    """Everything that a user may add to a session, and what is seeded."""
    put(bed, "config/drydock/compose.d/a.yml",
        "services:\n  agent:\n    environment:\n      ONE: one\n")
    put(bed, "config/drydock/compose.d/b.yml",
        "services:\n  agent:\n    environment:\n      TWO: two\n")
    put(bed, "config/drydock/policy.d/mine.jq",
        'if (.model.services.agent.environment | has("THREE")) '
        'then [{rule: "no-three", what: "THREE is set"}] else [] end\n')
    put(bed, "config/drydock/home.d/synced/.extra", "extra\n")
    put(bed, "config/drydock/allowlist", "two.example.org\n")
    put(bed, "home/.synced/one", "one\n")
    put(bed, "home/.synced/deep/two", "two\n")
    put(bed, "home/.synced/.credentials.json", CANARY)
    put(bed, "home/.synced.json",
        '{"secret": "%s", "kept": 1.50, "projects": {"/x": {}}}\n' % CANARY)
    os.makedirs(bed.path("shared"), mode=0o700)
    bed.plain(["token", "set", "--agent", "synced"], given=CANARY, check=True)


def all_done(bed, run):
    """What of the configuration did not come along is said, and the user's own
    home.d and overlays come always."""
    overlays, _, now = mark(bed).partition("\n")
    return overlays == "one two" and (
        now == "one\nextra\n" or (now in ("", "extra\n") and re_find(
            r"warning: (synced's configuration is not synced|"
            r"skipped \.synced(/one)?: it cannot be read)", run.err)))


SHELL = ["shell", "@PROJECT@", "--", "/bin/sh", "-c",
         "echo ran >>mark; echo said; exit 42"]

SYNCED = r"^claude: (synced|nothing changed), "


def patch_scenarios(front, p):
    """What is done with the patches of one package manager."""
    common = {"live": False, "only_asks": True, "check": p.patch_check,
              "weight": 0.5, "sparse": 3}
    return [
        Scenario(front + "save", patches.SAVE, 0, p.patch_done,
                 prepare=p.prepare_save, alike=p is patches.NPM,
                 library="libarchive" if p is patches.CARGO else None,
                 again=p.again(patches.SAVE, patches.is_never), **common),
        Scenario(front + "resave", patches.SAVE, 0, p.patch_done,
                 prepare=p.prepare_resave, alike=True,
                 again=p.again(patches.SAVE, patches.is_never), **common),
        Scenario(front + "apply", patches.APPLY, 0, p.patch_done,
                 prepare=p.prepare_apply, alike=True,
                 again=p.again(patches.APPLY, patches.is_never), **common),
        Scenario(front + "remove", patches.REMOVE, 0, p.patch_done,
                 prepare=p.prepare_remove, alike=True,
                 again=p.again(patches.REMOVE, p.is_removed), **common),
    ]


ALL = [
    Scenario("config", ["config"], 0, config_done, weight=0.3, loads=True,
             prints=True),
    Scenario("used-shell", SHELL, 42, shell_done, prepare=leave_dead,
             weight=3, launches=True),
    Scenario("first-shell", SHELL, 42, shell_done, live=False, weight=3,
             launches=True),
    Scenario("slot-shell", SHELL, 42, shell_done, prepare=leave_slots,
             check=slots_kept, launches=True, alike=True,
             settings="toolchains = node rust\ncache_days = 0\n"),
    Scenario("run", ["run", "--agent", "fake", "@PROJECT@"], 42, run_done,
             weight=2, launches=True),
    Scenario("run-all", ["run", "--agent", "synced", "@PROJECT@"], 42,
             all_done, prepare=write_all, keeps=True, weight=2, launches=True,
             syncs=True, settings="binds = @ROOT@/shared\n",
             secrets={"home/.synced/.credentials.json",
                      "home/.synced.json"}),
    Scenario("dood-shell", ["shell", "--mode", "dood"] + SHELL[1:], 42,
             shell_done, launches=True),
    Scenario("plan", ["plan", "@PROJECT@"], 0, plan_done, prints=True),
    Scenario("build", ["build"], 0, build_done, images=False, live=False,
             claims=r"^(agent|egress) +sha256:"),
    Scenario("attach", ["attach", "@SESSION@"], 7, attach_done,
             fresh=start_detached, lasts=True, check=attach_check,
             again=attach_again,
             steps=TYPED, leaves=r" goes on: type .drydock attach "),
    Scenario("resume", ["attach", "@SESSION@"], 7, attach_done,
             prepare=stop_outside, check=resume_check, again=resume_again,
             steps=TYPED, leaves=r" goes on: type .drydock attach ", alike=True,
             # The number of polls for the holder varies, so that a call of
             # the sample may not occur.
             weight=4),
    Scenario("reseal", ["reseal", "@SESSION@"], 0, reseal_done,
             prepare=lose_digest, check=reseal_check, again=reseal_again,
             weight=0.5),
    Scenario("exec", EXEC, 3, exec_done, only_asks=True, fresh=start_detached,
             lasts=True, check=beside_check, again=exec_again, weight=0.3),
    Scenario("logs", ["logs", "@SESSION@"], 0, logs_done, fresh=write_logs,
             only_asks=True,
             lasts=True, check=beside_check, again=logs_again, weight=0.3),
    Scenario("restore", RESTORE, 0, restore_done, fresh=change_files,
             only_asks=True, lasts=True, check=restore_check,
             again=restore_again, weight=0.5),
    Scenario("adopt", ["gc", "--adopt"], 0, adopt_done, live=False,
             fresh=change_engine, lasts=True, check=adopt_check,
             again=adopt_again,
             steps=ADOPT, only_asks=True, claims=r" adopted$"),
    Scenario("stop-lost", ["stop", "--force", "@SESSION@"], 0, stop_done,
             fresh=lose_container, lasts=True, again=forced_again, weight=0.5,
             claims=r" ended$"),
    Scenario("stop", ["stop", "@SESSION@"], 0, stop_done,
             fresh=start_detached, lasts=True, check=stop_check,
             again=stop_again,
             claims=r" ended$"),
    Scenario("list", ["list", "--all"], 0, list_done, prepare=leave_dead,
             library="libcurl",
             weight=0.5, only_asks=True),
    Scenario("gc", ["gc"], 0, gc_done, prepare=leave_dead, check=gc_check),
    Scenario("gc-images", ["gc", "--images"], 0, images_done,
             prepare=leave_image, check=images_check, live=False, alike=True),
    Scenario("gc-crashed", ["gc"], 0, crashed_done, prepare=crash_holder,
             check=resume_check, again=resume_again, weight=0.5),
    Scenario("gc-much", ["gc"], 0, much_done, prepare=leave_much,
             check=much_check),
    Scenario("gc-slots", ["cache", "gc"], 0, slots_done, prepare=leave_slots,
             check=slots_gc_check, only_asks=True, weight=0.5),
    Scenario("setup", ["setup"], 0, setup_done, live=False,
             prepare=no_config, check=sync_check),
    Scenario("sync-first", ["sync"], 0, sync_done, prepare=prepare_first,
             check=sync_check, claims=SYNCED),
    Scenario("sync-changed", ["sync"], 0, sync_done, prepare=prepare_changed,
             check=sync_check, claims=SYNCED),
    Scenario("sync-same", ["sync"], 0, sync_done, prepare=prepare_same,
             check=sync_check, weight=0.3, claims=SYNCED),
    Scenario("seeded-shell", ["shell", "@PROJECT@", "--", "/bin/sh", "-c",
                              SEEN + "exit 42"], 42, seed_done,
             prepare=prepare_changed, live=False, launches=True,
             syncs=True),
    Scenario("token-first", ["token", "set"], 0, token_set_done, keeps=True,
             given=NEW_TOKEN, check=token_check, weight=0.3,
             claims="token kept"),
    Scenario("token-set", ["token", "set"], 0, token_set_done, keeps=True,
             given=NEW_TOKEN, prepare=keep_token, check=token_beside,
             fresh=fill_beside, weight=0.3, claims="token kept"),
    Scenario("token-status", ["token", "status"], 0, token_told, keeps=True,
             prepare=keep_token, check=token_kept, weight=0.3, prints=True),
    Scenario("token-remove", ["token", "remove"], 0, token_gone, keeps=True,
             prepare=keep_token, check=token_check, again=remove_again,
             weight=0.3, claims="token removed"),
] + patch_scenarios("patch-", patches.CARGO) + patch_scenarios(
    "npm-patch-", patches.NPM)
