# SPDX-License-Identifier: MIT
"""Which calls are failed, how, and in which order."""
import re

# Calls that POSIX or the kernel gives no way to fail, and the two at which a
# process begins and ends.
NEVER_FAIL = {
    "execve", "exit_group", "exit", "getpid", "getppid", "gettid", "getuid",
    "geteuid", "getgid", "getegid", "umask", "set_tid_address", "arch_prctl",
    "rt_sigreturn", "restart_syscall", "set_robust_list", "rseq",
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

# The first is the one of a short sweep.
ERRORS = [
    (r"openat2?", "EACCES EMFILE EIO ENOSPC EROFS EINTR ENOENT ENOMEM"),
    (r"open_tree|creat", "EACCES EMFILE"),
    (r"p?write(v|64)?", "ENOSPC EIO EINTR EDQUOT"),
    (r"p?read(v|64)?", "EIO EINTR ENOMEM"),
    (r"f(data)?sync", "EIO ENOSPC"),
    (r"rename.*|link.*|symlink.*", "ENOSPC EIO EACCES EROFS"),
    (r"mkdir.*", "ENOSPC EIO EACCES EROFS"),
    (r"unlink.*|rmdir", "EACCES EIO EROFS EBUSY"),
    (r"f?ch(mod|own).*", "EPERM EIO EROFS"),
    (r"mmap|brk|mremap|mprotect", "ENOMEM"),
    (r"clone.*|v?fork", "EAGAIN ENOMEM"),
    (r"socket|pipe2?|memfd_create|pidfd_open|signalfd.*", "EMFILE ENOMEM"),
    (r"connect", "ECONNREFUSED EAGAIN EINTR"),
    (r"send.*|recv.*", "ECONNRESET EINTR ENOMEM"),
    (r"poll|ppoll|epoll.*", "EINTR ENOMEM"),
    (r"wait4|waitid", "EINTR ECHILD"),
    (r"flock", "ENOLCK EINTR EIO"),
    (r"getdents.*", "EIO ENOENT"),
    (r"(new)?f?statx?(at)?|statfs|fstatfs|.*access.*", "EACCES EIO"),
    (r"getrandom", "EINTR EAGAIN"),
    (r"copy_file_range|sendfile", "EIO ENOSPC EXDEV"),
]

LIST = "list"


class Fault:
    def __init__(self, name, n, kind, loads=False, changes=False):
        self.name = name
        self.n = n
        self.kind = kind
        self.loads = loads
        self.changes = changes

    def __str__(self):
        return "%s:%d:%s" % (self.name, self.n, self.kind)

    def inject(self):
        what = ("signal=SIGKILL" if self.kind == "kill"
                else "error=" + self.kind)
        return "inject=%s:%s:when=%d" % (self.name, what, self.n)


class Call:
    def __init__(self, name, n, loads):
        self.name = name
        self.n = n
        self.loads = loads  # before main() was reached


def read_calls(path):
    """The calls in strace's log, in order; a child's are not in it."""
    calls = []
    seen = {}
    loads = True
    with open(path, errors="replace") as f:
        for line in f:
            m = re.match(r"(\w+)\(", line)
            if m is None:
                continue
            name = m.group(1)
            # main()'s first act is to make sure of descriptors 0 to 2.
            if loads and '"/dev/null"' in line:
                loads = False
            seen[name] = seen.get(name, 0) + 1
            calls.append(Call(name, seen[name], loads))
    return calls


def errors_of(name):
    for pattern, errors in ERRORS:
        if re.fullmatch(pattern, name):
            return errors.split()
    return ["EIO"]


def choose(calls, full, scenario):
    todo = []
    previous = None
    for call in calls:
        changed = previous is not None and previous not in PURE
        changes = call.name not in PURE
        if scenario.calls is None or call.name in scenario.calls:
            if call.name not in NEVER_FAIL:
                errors = errors_of(call.name)
                # Before main() it is the dynamic linker that fails.
                for e in errors if full and not call.loads else errors[:1]:
                    todo.append(Fault(
                        call.name, call.n, e, call.loads, changes))
            if changed or call.name == "exit_group":
                todo.append(Fault(
                    call.name, call.n, "kill", call.loads, True))
        previous = call.name
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
