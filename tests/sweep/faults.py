# SPDX-License-Identifier: MIT
"""Which calls are failed, how, and in which order."""
import errno
import re

# Calls that POSIX or the kernel gives no way to fail, and the two at which a
# process begins and ends.
NEVER_FAIL = {
    "execve", "exit_group", "exit", "getpid", "getppid", "gettid", "getuid",
    "geteuid", "getgid", "getegid", "umask", "set_tid_address", "arch_prctl",
    "futex",
    "rt_sigreturn", "restart_syscall", "rt_sigaction", "rt_sigprocmask",
    "set_robust_list", "rseq",
}

# Nor these, by what they are asked for: flags of a descriptor that is open, and
# a limit of one's own that is only read.
NEVER_FAIL_SO = re.compile(
    r"fcntl\(\d+, F_[GS]ET(FD|FL)|prlimit64\(0, \w+, NULL,")

# Only of a file's closing does a file system hear: not of a directory's, of a
# name's that was only looked up, or of what is no file.
FILE = re.compile(r"(openat2?|fcntl)\((?!.*O_(PATH|DIRECTORY))")

# Calls after which nothing outside of the process is another, as long as the
# machine has power: to be killed before the next call is then the same as to be
# killed before this one.  A call that failed has changed nothing, either.
PURE = {
    "access", "arch_prctl", "brk", "clock_gettime", "close", "eaccess",
    "faccessat", "faccessat2", "fcntl", "fdatasync", "flock", "fstat",
    "fstatfs", "fsync", "futex", "getcwd",
    "getdents64", "getegid", "geteuid", "getgid", "getgroups", "getpeername",
    "getpid", "getppid", "getrandom", "getsockopt", "gettid", "getuid",
    "ioctl", "lseek", "madvise", "memfd_create", "mmap", "mprotect", "mremap",
    "munmap", "newfstatat", "pidfd_open", "pipe2", "poll", "prctl",
    "pread64", "prlimit64", "read", "readlink", "readlinkat", "recvfrom",
    "recvmsg", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigtimedwait", "sched_getaffinity", "set_robust_list",
    "set_tid_address", "setsockopt", "signalfd4", "socket", "stat", "statfs",
    "statx", "syncfs", "sysinfo", "umask", "uname", "waitid", "wait4",
}
PURE_SO = re.compile(r"openat2?\((?!.*O_(CREAT|TRUNC|TMPFILE))"
                     r"|.* = -1 E(?!INPROGRESS)\w+ \(.*\)$")

# What the manual pages have, as far as it can befall: the first is the one of
# a short sweep.  Without ENOENT and ELOOP, which are answers: that there is no
# such file, or a link, is true of what changes meanwhile, and no failure.
ERRORS = [
    (r"openat2?|open_tree", "EACCES EMFILE EIO ENOSPC EROFS EINTR ENOMEM"),
    (r"p?write(v|64)?", "ENOSPC EIO EINTR EDQUOT"),
    (r"p?read(v|64)?", "EIO EINTR"),
    (r"f(data)?sync|syncfs", "EIO ENOSPC EDQUOT"),
    (r"rename.*|link(at)?|symlink.*", "ENOSPC EIO EACCES EROFS EDQUOT"),
    (r"mkdir.*", "ENOSPC EIO EACCES EROFS EDQUOT"),
    (r"unlink.*|rmdir", "EACCES EIO EROFS EBUSY"),
    (r"f?ch(mod|own).*|utimensat", "EPERM EIO EROFS"),
    (r"f?(get|set|list)xattr", "EIO ENOTSUP"),
    (r"mmap|brk|mremap|mprotect", "ENOMEM"),
    (r"clone.*|v?fork", "EAGAIN ENOMEM"),
    (r"socket|pipe2?|memfd_create|pidfd_open|signalfd.*|dup.*",
     "EMFILE ENFILE ENOMEM"),
    (r"fcntl", "EMFILE EIO"),
    (r"connect", "ECONNREFUSED EAGAIN EINTR EACCES"),
    (r"send.*", "ECONNRESET EPIPE EINTR ENOBUFS"),
    (r"recv.*", "ECONNRESET EINTR ENOMEM"),
    (r"poll|ppoll|epoll.*", "EINTR ENOMEM"),
    (r"wait4|waitid", "EINTR ECHILD"),
    (r"flock", "ENOLCK EINTR EIO"),
    (r"getdents.*", "EIO"),
    (r"readlink(at)?", "EIO EACCES"),
    (r"(new)?f?statx?(at)?|statfs|fstatfs|.*access.*",
     "EACCES EIO ENOMEM"),
    (r"ioctl", "EIO ENOTTY"),
    (r"getrandom", "EINTR"),
    (r"copy_file_range|sendfile", "EIO ENOSPC EXDEV"),
]

# One of drydock's own functions in a stack.
FRAME = re.compile(r" > \S*/drydock(?:\((.*)\))? \[(\w+)\]")

# What begins a child.
CHILD = {"clone", "clone3", "fork", "vfork"}

LIST = "list"


# How many functions, from the innermost, tell one place in the code from
# another.
FRAMES = 4
# Who calls the commands.
COMMANDS = "run_command"
# Who loads a library, which is the same each time.
LOADS = {"http_load": "libcurl", "libarchive_load": "libarchive"}


class Fault:
    def __init__(self, call, kind):
        self.name = call.name
        self.number = call.number
        self.n = call.n
        self.fd = call.fd
        self.after = call.after
        self.kind = kind
        self.loads = call.loads
        self.changes = kind == "kill" or call.changes

    def __str__(self):
        return "%s:%d:%s" % (self.name, self.n, self.kind)

    def inject(self):
        """As tests/sweep/inject takes it."""
        error = 0 if self.kind == "kill" else getattr(errno, self.kind)
        children, n = self.after
        return [str(i) for i in (children, self.number, n, error)]


class Call:
    def __init__(self, name, number, n, after, loads, line, files):
        self.name = name
        self.number = number
        self.n = n
        m = re.match(r"\w+\((\d+)", line)
        self.fd = int(m.group(1)) if m else -1  # where it begins with one
        self.after = after  # how many children, and which call since the last
        self.loads = loads  # before main() was reached, or
        self.library = None  # of the loading of this one
        self.frames = []  # innermost first: addresses in drydock
        self.whole = False
        self.nth = 0  # of those from the same functions
        self.can_fail = name not in NEVER_FAIL and \
            NEVER_FAIL_SO.match(line) is None and (
                name != "close" or closed(line) in files)
        self.changes = name not in PURE and PURE_SO.match(line) is None

    def add_frame(self, function, address):
        """But for the command itself and what called it: commands share what
        is below."""
        library = LOADS.get(function.split("+")[0])
        if library is not None:
            self.loads = True
            self.library = library
        if function.startswith(COMMANDS + "+"):
            self.whole = True
            if len(self.frames) > 1:
                self.frames.pop()
        if not self.whole:
            self.frames.append(address)

    @property
    def place(self):
        return (self.name, *self.frames[:FRAMES])

    @property
    def links(self):
        """The call with its two innermost functions, and each function above
        with its caller: all that a failure passes on its way up."""
        return [(self.name, *self.frames[:2]),
                *zip(self.frames[1:], self.frames[2:])]

    @property
    def round(self):
        """A loop's third round leaves the world as its second does."""
        return (self.name, min(self.nth, 2), *self.frames)

    @property
    def path(self):
        return (self.name, self.nth, *self.frames)


def closed(line):
    return re.match(r"\w+\((\d+)", line).group(1)


def note_files(files, name, line):
    """Which descriptors are those of open files."""
    m = re.search(r" = (\d+)(<.*>)?$", line)
    if m is None:
        return
    if name == "close":
        files.discard(closed(line))
    elif FILE.match(line):
        files.add(m.group(1))
    elif name.startswith("open"):
        files.discard(m.group(1))


def read_calls(path):
    """The calls in strace's log, in order; a child's are not in it."""
    calls = []
    seen = {}
    since = {}
    children = 0
    files = set()
    loads = True
    with open(path, errors="replace") as f:
        for line in f:
            if line.startswith(" > "):
                m = calls and FRAME.match(line)
                if m:
                    calls[-1].add_frame(m.group(1) or "", m.group(2))
                continue
            m = re.match(r"\[ *(\d+)\] ((\w+)\(.*)", line)
            if m is None:
                continue
            name = m.group(3)
            # What takes our place is not ours.
            if name == "execve" and calls:
                break
            # main()'s first act is to make sure of descriptors 0 to 2.
            if loads and '"/dev/null"' in line:
                loads = False
            seen[name] = seen.get(name, 0) + 1
            since[name] = since.get(name, 0) + 1
            calls.append(Call(name, int(m.group(1)), seen[name],
                              (children, since[name]), loads, m.group(2),
                              files))
            note_files(files, name, m.group(2))
            if name in CHILD and re.search(r"= \d+$", line):
                children += 1
                since = {}
    count_paths(calls)
    return calls


def count_paths(calls):
    seen = {}
    for call in calls:
        path = (call.name, *call.frames)
        call.nth = seen[path] = seen.get(path, 0) + 1


def errors_of(name):
    for pattern, errors in ERRORS:
        if re.fullmatch(pattern, name):
            return errors.split()
    return ["EIO"]


def choose(calls, scenario, how, known, every=False):
    """An errno at each call, and a kill before each call after a change.

    how: "call" skips a call that an earlier scenario made in the same way, from
    the same functions and as often before; "each" skips none; "place" fails
    each pair of a function and its caller once, and kills in the first two
    rounds of a loop.  every: each errno of the call, not the first.

    A kill also leaves what was there before, so that another scenario's kill
    does not stand for this one.  Only launches share their kills: what else is
    in their world makes no difference; unless they sync, where "place" alone
    shares what is not of the sync.  A scenario that is "alike" makes the calls
    of others in another order: it is treated by places.

    The dynamic linker's calls before main() are failed in one scenario, and
    those for libcurl and for libarchive in others.  A kill at exit_group is a
    kill after all work.
    """
    todo = []
    changed = None
    by_links = how == "place" or scenario.alike
    for call in calls:
        errors = errors_of(call.name) if call.can_fail else []
        if call.loads and not (
                scenario.library == call.library if call.library
                else scenario.loads):
            errors = []
        if call.loads or not every:
            errors = errors[:1]
        for e in errors:
            path = {(call.path, e)}
            links = {(k, every and e) for k in call.links}
            if how == "each" or not (links if by_links else path) <= known:
                todo.append(Fault(call, e))
            known.update(path, links)
        due = call.name == "exit_group"
        if changed is not None:
            ways = kill_ways(changed, scenario)
            due = due or how == "each" or ways[
                "alike" if scenario.alike else how] not in known
            known.update(ways.values())
        if due:
            todo.append(Fault(call, "kill"))
        changed = call if call.changes and not call.loads else None
    return todo


def kill_ways(changed, scenario):
    """Which other changes leave the world as this one does."""
    one = scenario.launches or scenario.name
    apart = scenario.launches and not scenario.syncs or scenario.name
    return {"call": (changed.path, apart), "place": (changed.round, one),
            "alike": (changed.place, "kill")}


def order(todo, offset):
    """Faults at what changes something, then the others, spread evenly."""
    first = [f for f in todo if f.changes and not f.loads]
    rest = [f for f in todo if not f.changes or f.loads]
    return spread(first, offset) + spread(rest, offset)


def spread(items, offset, step=37):
    n = len(items)
    if n == 0:
        return []
    while gcd(n, step) != 1:
        step += 1
    return [items[(offset + i * step) % n] for i in range(n)]


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a
