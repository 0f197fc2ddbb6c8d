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
    "rt_sigreturn", "restart_syscall", "rt_sigprocmask", "set_robust_list",
    "rseq",
}

# Calls after which nothing outside of the process is another: to be killed
# before the next call is then the same as to be killed before this one.
PURE = {
    "access", "arch_prctl", "brk", "clock_gettime", "close", "eaccess",
    "faccessat", "faccessat2", "fcntl", "fstat", "fstatfs", "futex", "getcwd",
    "getdents64", "getegid", "geteuid", "getgid", "getgroups", "getpeername",
    "getpid", "getppid", "getrandom", "getsockopt", "gettid", "getuid",
    "ioctl", "lseek", "madvise", "memfd_create", "mmap", "mprotect", "mremap",
    "munmap", "newfstatat", "pidfd_open", "pipe2", "poll", "prctl",
    "pread64", "prlimit64", "read", "readlink", "readlinkat", "recvfrom",
    "recvmsg", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigtimedwait", "sched_getaffinity", "set_robust_list",
    "set_tid_address", "setsockopt", "signalfd4", "socket", "stat", "statfs",
    "statx", "sysinfo", "umask", "uname", "waitid", "wait4",
}

# What the manual pages have, as far as it can befall: the first is the one of
# a short sweep.
ERRORS = [
    (r"openat2?|open_tree", "EACCES EMFILE EIO ENOSPC EROFS EINTR ENOENT"
     " ENOMEM ELOOP"),
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
    (r"getdents.*", "EIO ENOENT"),
    (r"readlink(at)?", "EIO EACCES ENOENT ELOOP"),
    (r"(new)?f?statx?(at)?|statfs|fstatfs|.*access.*",
     "EACCES EIO ENOMEM"),
    (r"ioctl", "EIO ENOTTY"),
    (r"getrandom", "EINTR EAGAIN"),
    (r"copy_file_range|sendfile", "EIO ENOSPC EXDEV"),
]

# What begins a child.
CHILD = {"clone", "clone3", "fork", "vfork"}

LIST = "list"


# How many functions, from the innermost, tell one place in the code from
# another: with a call's name they are what an errno is tried at once.  Where a
# program is heard it takes more to tell who asked.
FRAMES = 4
FRAMES_OF_ASKING = 6
ASKING = "proc_finish"


class Fault:
    def __init__(self, call, kind, changes=False):
        self.name = call.name
        self.number = call.number
        self.n = call.n
        self.after = call.after
        self.kind = kind
        self.loads = call.loads
        self.changes = changes

    def __str__(self):
        return "%s:%d:%s" % (self.name, self.n, self.kind)

    def inject(self):
        """As tests/sweep/inject takes it."""
        error = 0 if self.kind == "kill" else getattr(errno, self.kind)
        children, n = self.after
        return [str(i) for i in (children, self.number, n, error)]


class Call:
    def __init__(self, name, number, n, after, loads):
        self.name = name
        self.number = number
        self.n = n
        self.after = after  # how many children, and which call since the last
        self.loads = loads  # before main() was reached
        self.frames = []  # innermost first: addresses in drydock
        self.asks = False

    @property
    def place(self):
        n = FRAMES_OF_ASKING if self.asks else FRAMES
        return (self.name, *self.frames[:n])

    @property
    def spot(self):
        """Enough where a launch is killed."""
        return (self.name, *self.frames[:FRAMES])

    @property
    def path(self):
        return (self.name, *self.frames)


def read_calls(path):
    """The calls in strace's log, in order; a child's are not in it."""
    calls = []
    seen = {}
    since = {}
    children = 0
    loads = True
    with open(path, errors="replace") as f:
        for line in f:
            m = re.match(r" > \S*/drydock(?:\((.*)\))? \[(\w+)\]", line)
            if m is not None and calls:
                calls[-1].frames.append(m.group(2))
                calls[-1].asks |= (m.group(1) or "").startswith(ASKING + "+")
                continue
            m = re.match(r"\[ *(\d+)\] (\w+)\(", line)
            if m is None:
                continue
            name = m.group(2)
            # main()'s first act is to make sure of descriptors 0 to 2.
            if loads and '"/dev/null"' in line:
                loads = False
            seen[name] = seen.get(name, 0) + 1
            since[name] = since.get(name, 0) + 1
            calls.append(Call(name, int(m.group(1)), seen[name],
                              (children, since[name]), loads))
            if name in CHILD and re.search(r"= \d+$", line):
                children += 1
                since = {}
    return calls


def errors_of(name):
    for pattern, errors in ERRORS:
        if re.fullmatch(pattern, name):
            return errors.split()
    return ["EIO"]


def choose(calls, scenario, how, places):
    """An errno at each place in the code, and a kill before each call that
    follows a change.  how: "place": a place that another scenario had is left
    out; "full": every errno, and every place of each scenario; "call": calls
    that are made again and again from one place are failed each time.

    What a kill leaves is more than its place: what was there before.  Only
    launches do the same in a world of their own, whatever else is in it: with
    "place" one is killed once between the same two places.  Sync, tokens and
    collection are killed in each world, also where a launch syncs."""
    todo = []
    previous = None
    mine = set() if how == "full" else places
    killed = set()
    once = how == "place" and scenario.launches
    if once:
        killed = set(places) if scenario.syncs else places
    for call in calls:
        if call.name not in NEVER_FAIL and (
                scenario.loads if call.loads else True):
            errors = errors_of(call.name)
            for e in errors if how == "full" and not call.loads \
                    else errors[:1]:
                if call.loads or how == "call" or (
                        call.place, e) not in mine:
                    todo.append(Fault(call, e, call.name not in PURE))
                mine.add((call.place, e))
        changed = previous is not None and previous.name not in PURE
        between = changed and (
            (previous.spot, call.spot) if once else
            (previous.path, call.path))
        if (changed and not previous.loads and (
                how == "call" or between not in killed)
                or call.name == "exit_group"):
            killed.add(between)
            todo.append(Fault(call, "kill", True))
        previous = call
    return todo


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
