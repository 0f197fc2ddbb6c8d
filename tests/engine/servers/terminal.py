#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""terminal.py STEP... -- COMMAND...: runs COMMAND on a terminal of 24 by 80.

Steps are done in turn, each within a minute: "expect:TEXT" waits for TEXT after
what was expected before, "send:TEXT" types it (\\r is return), "size:ROWSxCOLS"
resizes, "close" takes the terminal away.  All output goes to stdout; the status
is COMMAND's own, 128 and the signal, or 99 when a step failed.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

STEP_SECONDS = 60


def resize(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


class Terminal:
    def __init__(self, fd):
        self.fd = fd
        self.seen = b""
        self.ended = False

    def read(self, seconds):
        if self.ended or not select.select([self.fd], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.ended = not data
        self.seen += data
        os.write(1, data)

    def expect(self, text):
        deadline = time.monotonic() + STEP_SECONDS
        while text not in self.seen:
            if self.ended or time.monotonic() > deadline:
                sys.stderr.write(f"not seen: {text!r}\n")
                return False
            # What cannot be part of it is not looked through again.
            self.seen = self.seen[-len(text) :]
            self.read(0.1)
        self.seen = self.seen[self.seen.index(text) + len(text) :]
        return True


def main():
    split = sys.argv.index("--")
    steps, command = sys.argv[1:split], sys.argv[split + 1 :]
    pid, fd = pty.fork()
    if pid == 0:
        resize(0, 24, 80)
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    terminal = Terminal(fd)
    for step in steps:
        verb, _, value = step.partition(":")
        if verb == "expect" and not terminal.expect(value.encode()):
            os.kill(pid, signal.SIGKILL)
            sys.exit(99)
        elif verb == "send":
            os.write(fd, value.replace("\\r", "\r").encode())
        elif verb == "size":
            resize(fd, *map(int, value.split("x")))
        elif verb == "close":
            os.close(fd)
            terminal.ended = True
    deadline = time.monotonic() + STEP_SECONDS
    while not terminal.ended and time.monotonic() < deadline:
        terminal.read(0.1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.exit(status if status >= 0 else 128 - status)


main()
