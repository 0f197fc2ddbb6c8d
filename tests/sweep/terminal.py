# SPDX-License-Identifier: MIT
"""A command on a terminal of its own."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time


def drive(argv, env, steps, seconds):
    """steps: (what is awaited, what is typed then).  Returns the status as
    subprocess has it, and all that was shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir("/")
        os.execve(argv[0], argv, env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown = b""
    at = 0
    steps = [(a.encode(), b.encode()) for a, b in steps]
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            if not data:
                break
            shown += data
            if steps and steps[0][0] in shown[at:]:
                at = shown.index(steps[0][0], at) + len(steps[0][0])
                os.write(fd, steps.pop(0)[1])
        else:
            os.killpg(pid, signal.SIGKILL)
            raise RuntimeError("on a terminal: no end after %r" % shown)
    finally:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
    return status, shown.decode(errors="replace").replace("\r\n", "\n")
