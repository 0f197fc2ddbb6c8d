# SPDX-License-Identifier: MIT
"""What must hold after every run, whatever was failed in it."""
import hashlib
import json
import os
import re
import signal

from bed import CANARY

# As the table in drydock(1) has them; 127 is the dynamic linker's.
OWN = {1, 64, 65, 69, 70, 74, 75, 77, 78, 130}
MEMORY = {"mmap", "brk", "mremap", "munmap", "mprotect"}


def kind_of(fault):
    """Of a fault what the rules below ask for."""
    if fault.kind == "kill":
        return "kill"
    return (fault.loads, fault.name if fault.name in MEMORY else "",
            takes_terminal(fault), takes_words(fault))


def takes_terminal(fault):
    """EIO is what a terminal says that is gone."""
    return fault.kind == "EIO" and fault.name in ("read", "write")


def takes_words(fault):
    return fault.name == "write" and fault.fd == 2


def check_run(bed, scenario, expected, run):
    bad = []
    bad += check_status(scenario, run)
    bad += check_claim(bed, scenario, expected, run)
    bad += check_live(bed)
    bad += check_files(bed)
    bad += check_world(bed, scenario)
    bad += check_secrets(bed, scenario, run)
    bad += scenario.check(bed, run)
    return bad


def check_status(scenario, run):
    """Its own status, one of drydock's with words, or what was done to it."""
    fault = run.fault
    if run.status == scenario.status:
        return []
    if fault is None or not hasattr(fault, "kind"):
        return ["status %d: %s" % (run.status, run.err[-300:])]
    if fault.kind == "kill" and run.status == -signal.SIGKILL:
        return []
    # Without memory a process may only end: xmalloc() has no caller that could
    # go on, and the linker has not come to drydock yet.
    if fault.name in MEMORY and (
            fault.loads or run.status == -signal.SIGABRT):
        return []
    if fault.loads and run.status == 127:
        return []
    # Who loses the terminal leaves the session, which goes on: no failure.
    if (scenario.leaves and run.status == 0 and takes_terminal(fault)
            and re.search(scenario.leaves, run.err, re.M)):
        return []
    # Who loses the connection has left, and what ran for him is hung up.
    if run.status == 128 + signal.SIGHUP and (
            "was lost before the command ended" in run.err):
        return []
    if run.status not in OWN:
        return ["status %d: %s" % (run.status, run.err[-300:])]
    if not re.search(r"^drydock: .", run.err, re.M) and not takes_words(
            fault):
        return ["status %d without a word" % run.status]
    return []


def check_claim(bed, scenario, expected, run):
    if run.status == scenario.status and not scenario.done(bed, run):
        return ["status %d, and it is not done: %r %r" % (
            run.status, run.out[-200:], run.err[-300:])]
    if run.status == scenario.status and scenario.prints and plain(
            run.out) != plain(expected.out):
        return ["it prints what it does not without a fault: %r" % [
            line for line in plain(run.out).splitlines()
            if line not in plain(expected.out).splitlines()][:5]]
    # Who fails or is killed after the step was done may have said it: what is
    # said is that, and not how the command ends.
    if run.status != scenario.status and scenario.claims and re.search(
            scenario.claims, run.out, re.M) and not scenario.done(bed, run):
        return ["status %d, and it says: %r" % (run.status, run.out)]
    return []


def plain(text):
    """Without a world's own path and ids, and what a tracer is given time
    for."""
    text = re.sub(r"_timeout = .*", "", text)
    return re.sub(r"/w\d+\b", "/w", re.sub(r"[0-9a-f]{16,}", "HEX", text))


class Log:
    """What is renamed to its place was flushed before, and its directory is
    after; a name that is removed for good, too; nothing is written in place."""

    def __init__(self):
        self.bad = []
        self.opened = {}  # name: descriptor
        self.flushed = set()  # descriptors
        self.synced = False  # the file system, since the last write
        self.due = {}  # directory's descriptor: name

    def openat(self, line):
        m = re.match(r'openat2?\(\w+, "([^"]*)", (.*) = (\d+)$', line)
        if m is None:
            return
        name, how, fd = m.groups()
        if "O_TRUNC" in how:
            self.bad.append("%s is written in place" % name)
        if "O_CREAT" in how or name == "tokens":
            self.opened[name] = fd
            self.flushed.discard(fd)

    def renamed(self, line):
        m = re.match(r'(?:renameat2?|linkat)\(\d+, "([^"]*)", (\d+), '
                     r'"([^"]*)".* = 0', line)
        if m is None:
            return
        temp, fd, name = m.groups()
        if fd in self.due:
            self.bad.append("%s was not flushed before %s" % (
                self.due[fd], name))
        if temp in self.opened:
            if self.opened[temp] not in self.flushed:
                self.bad.append("%s was not flushed" % name)
            self.due[fd] = name
        elif name == "snapshot":
            if not self.synced:
                self.bad.append("%s was not flushed" % name)
            self.due[fd] = name

    def read(self, line):
        line = line[line.index("]") + 2:]
        self.openat(line)
        self.renamed(line)
        m = re.match(r"write\((\d+), ", line)
        if m:
            self.flushed.discard(m.group(1))
            self.synced = False
        m = re.match(r"fsync\((\d+)\) += 0", line)
        if m:
            self.flushed.add(m.group(1))
            self.due.pop(m.group(1), None)
        if re.match(r"syncfs\(\d+\) += 0", line):
            self.synced = True
        m = re.match(r"close\((\d+)\)", line)
        if m and self.opened.get("tokens") == m.group(1):
            del self.opened["tokens"]
        m = re.match(r'unlinkat\((\d+), "([^."][^"]*)", 0\) += 0', line)
        if m and self.opened.get("tokens") == m.group(1):
            self.due[m.group(1)] = "the removed " + m.group(2)
        if re.match(r"(clone|clone3|vfork|exit_group)\(", line):
            self.bad += ["the directory of %s was not flushed" % name
                         for name in self.due.values()]
            self.due = {}


def check_log(path):
    log = Log()
    begun = False
    with open(path, errors="replace") as f:
        for line in f:
            if not line.startswith("["):  # a stack, or a signal
                continue
            # What takes drydock's place is not drydock.
            if re.match(r"\[ *\d+\] execve\(", line):
                if begun:
                    break
                begun = True
            log.read(line)
    return log.bad


def check_live(bed):
    """The session of another project is as it was, and runs.  Its companion
    follows the addresses of the host, which others on it may change."""
    if bed.live is None:
        return []
    bad = []
    here = os.path.join(bed.state, "sessions", bed.live)
    kept = os.path.join(bed.kept, "state/drydock/sessions", bed.live)
    for d, _, names in os.walk(kept):
        for name in names:
            if name == "host-addresses":
                continue
            path = os.path.join(d, name)
            other = os.path.join(here, os.path.relpath(path, kept))
            if not os.path.lexists(other):
                bad.append("live session: %s is gone" % other)
            elif (os.path.isfile(path) and not os.path.islink(path)
                    and read(path) != read(other)):
                bad.append("live session: %s is another" % other)
    now = bed.containers()
    for c, pid in zip(bed.live_containers, bed.live_pids):
        if c not in now or bed.pid(c) != pid:
            bad.append("a live session's container is gone")
    return bad


def read(path):
    with open(path, "rb") as f:
        return f.read()


def check_json(path):
    try:
        return json.loads(read(path)), []
    except ValueError as e:
        return None, ["%s is partial: %s" % (path, e)]


RECORD = {"version", "id", "project", "agent", "mode", "kind", "engine_id",
          "engine_data_root", "engine_socket", "created_at"}


def check_session(path):
    bad = []
    record = plan = None
    for name in ("session.json", "plan.json"):
        p = os.path.join(path, name)
        if not os.path.exists(p):
            continue
        value, words = check_json(p)
        bad += words
        if name == "session.json" and value is not None:
            record = value
            if not RECORD <= set(value):
                bad.append("%s lacks fields" % p)
        elif value is not None:
            plan = hashlib.sha256(read(p)).hexdigest()
    digest = (record or {}).get("plan_digest")
    if digest is not None and plan != digest:
        bad.append("%s: the record's plan is not the sealed one" % path)
    return bad


def check_files(bed):
    """Records, plans and configuration are old or new, never partial."""
    bad = []
    sessions = os.path.join(bed.state, "sessions")
    if os.path.isdir(sessions):
        for name in os.listdir(sessions):
            bad += check_session(os.path.join(sessions, name))
    p = os.path.join(bed.state, "id")
    if os.path.exists(p) and not re.fullmatch(
            rb"[0-9a-z]{16,64}\n?", read(p)):
        bad.append("%s is partial: %r" % (p, read(p)))
    p = os.path.join(bed.state, "docker/config.json")
    if os.path.exists(p) and read(p) != b"{}\n":
        bad.append("%s is partial: %r" % (p, read(p)))
    for d, _, names in os.walk(bed.path("config")):
        for name in names:
            path = os.path.join(d, name)
            old = os.path.join(bed.kept, os.path.relpath(path, bed.root))
            if os.path.exists(old) and read(path) != read(old):
                bad.append("%s is another" % path)
    return bad


def check_world(bed, scenario):
    """What the stub itself saw: a plan that was not sealed, a live removal."""
    path = os.path.join(bed.world, "complaints")
    if not os.path.exists(path):
        return []
    with open(path) as f:
        lines = f.read().splitlines()
    return [line for line in lines if not (
        scenario.only_asks and line.endswith("before any lease was won"))]


def check_secrets(bed, scenario, run):
    bad = []
    if CANARY in run.out or CANARY in run.err:
        bad.append("a secret is printed")
    for top in (bed.state, bed.world, bed.path("config"),
                bed.path("runtime"), bed.path("home"), bed.path("project")):
        for path in find_secret(top, bed.without_secret):
            if not is_place(bed, scenario, path):
                bad.append("a secret is in %s" % path)
    return bad


def find_secret(top, known):
    """The files that have it; known: those that were looked at before.  Nothing
    can change an inode without a new change time."""
    try:
        entries = list(os.scandir(top))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from find_secret(entry.path, known)
        elif entry.is_file(follow_symlinks=False):
            try:
                st = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            facts = (st.st_ino, st.st_ctime_ns, st.st_size)
            if known.get(entry.path) == facts:
                continue
            if CANARY.encode() in read(entry.path):
                yield entry.path
            else:
                known[entry.path] = facts


def is_place(bed, scenario, path):
    """Where it may be kept, and nobody else can read it; the host's own."""
    where = os.path.relpath(path, bed.root)
    return where in scenario.secrets or (
        scenario.keeps and where.startswith("state/drydock/tokens/")
        and os.stat(path).st_mode & 0o077 == 0
        and os.stat(os.path.dirname(path)).st_mode & 0o077 == 0)


def tree(bed):
    """What lies where drydock writes, but for the live session."""
    found = set()
    for top in ("state", "config", "home", "runtime", "project"):
        for d, dirs, names in os.walk(bed.path(top)):
            if os.path.basename(d) == "sessions" and bed.live in dirs:
                dirs.remove(bed.live)
            # Each fault may leave a slot of caches more; see slots_check().
            if os.path.basename(d) == "caches":
                dirs.clear()
            for name in names + dirs:
                path = os.path.relpath(os.path.join(d, name), bed.root)
                # drydock itself limits how many ended sessions it keeps.
                if re.match(r"state/drydock/ended/\w{8}\.(json|watched|kept(/.*)?)$", path):
                    continue
                # A project's key is made of its path, which is the worker's.
                path = re.sub(r"history/[0-9a-f]+-", "history/", path)
                # Each build makes an image with an id of its own.
                path = re.sub(r"programs/[0-9a-f]{64}$", "programs/ID", path)
                found.add(path.replace(bed.live, "LIVE") if bed.live else path)
    return found


def check_rerun(bed, scenario, expected, foreign=False):
    """Without a fault it succeeds, and nothing is left but what lives."""
    bad = []
    run = None
    if scenario.again is not None:
        bad += scenario.again(bed)
    bed.end_others(signal.SIGTERM)
    mark = bed.path("project/mark")
    if os.path.exists(mark):
        os.unlink(mark)
    if scenario.again is None:
        run = bed.plain(scenario.args, given=scenario.given)
        bad += check_status(scenario, run)
        bad += check_claim(bed, scenario, expected, run)
        bad += check_secrets(bed, scenario, run)
    if scenario.status != 42 or run is None:
        if not scenario.images:
            bed.plain(["build"])
        run = bed.plain(["shell", "@PROJECT@", "--", "/bin/true"])
        if run.status != 0:
            bad.append("a shell: status %d: %s" % (
                run.status, run.err[-300:]))
    bad += check_live(bed)
    bad += check_files(bed)
    bad += check_world(bed, scenario)
    bad += check_secrets(bed, scenario, run)
    if foreign:
        return ["after the rerun: " + words for words in bad]
    sessions = set(os.listdir(os.path.join(bed.state, "sessions")))
    if sessions != ({bed.live} if bed.live else set()):
        bad.append("sessions are left: %s: %s" % (sessions, run.err[-300:]))
    if os.listdir(os.path.join(bed.state, "trash")):
        bad.append("trash is left")
    left = set(bed.containers()) - set(
        bed.live_containers if bed.live else [])
    if left:
        bad.append("containers are left: %s" % left)
    if getattr(expected, "files", None) is None:
        expected.files = tree(bed)
    elif tree(bed) != expected.files:
        bad.append("files are left or missing: %s" % sorted(
            tree(bed) ^ expected.files))
    return ["after the rerun: " + words for words in bad]
