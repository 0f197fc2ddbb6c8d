#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An engine's socket with somebody in between, who does something at one call.

usage: engine.py SOCKET REAL RULE

Passes on what comes, both ways.  While the file RULE is there, it says what is
done when the first request of a connection matches, in three lines: when, a
regular expression for "METHOD TARGET", and a shell command.

  before   the command runs, and nothing is passed on: the connection ends
  after    the command runs with the answer on its standard input, and then the
           answer is passed on
  fail     the answer is status 500; the command does not run

PEER is the process that asks.
"""
import os
import re
import socket
import struct
import subprocess
import sys
import threading

def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            break
        data += more
    return data


def read_answer(s):
    data = read_head(s)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while (len(body) < int(length.group(1)) if length
           else not body.endswith(b"0\r\n\r\n")):
        more = s.recv(65536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body


def copy(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def read_rule(path):
    try:
        with open(path) as f:
            return f.read().split("\n")
    except FileNotFoundError:
        return None


def run(command, peer, answer=b""):
    subprocess.run(["sh", "-c", command], input=answer,
                   env={**os.environ, "PEER": str(peer)})


def serve(s, real, rule_path):
    peer = struct.unpack("3i", s.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    head = read_head(s)
    rule = read_rule(rule_path)
    called = b" ".join(head.split(b" ")[:2]).decode(errors="replace")
    when = rule[0] if rule and re.search(rule[1], called) else ""
    if when == "before":
        run(rule[2], peer)
    elif when == "fail":
        body = b'{"message":"the engine is confused"}'
        s.sendall(b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % len(body)
                  + body)
    elif head:
        with socket.socket(socket.AF_UNIX) as there:
            there.connect(real)
            there.sendall(head)
            if when == "after":
                answer = read_answer(there)
                run(rule[2], peer, answer)
                s.sendall(answer)
            else:
                t = threading.Thread(target=copy, args=(s, there), daemon=True)
                t.start()
                copy(there, s)
                t.join()
    s.close()


def main():
    path, real, rule_path = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(64)
    while True:
        threading.Thread(target=serve, args=(
            listener.accept()[0], real, rule_path), daemon=True).start()


main()
