#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client of the ssh agent at SSH_AUTH_SOCK that misbehaves.

sshclient.py keys                 prints the fingerprints that are listed
sshclient.py sign KEY             prints the type of the answer; KEY is the
                                  public key's base64
sshclient.py refused              every other request is refused
sshclient.py cut KEY              half a request, and then nothing
sshclient.py huge                 a request of a gigabyte
sshclient.py thousand KEY         a thousand requests to sign
"""
import base64
import hashlib
import os
import socket
import struct
import sys

FAILURE, LIST, LISTED, SIGN, SIGNED = 5, 11, 12, 13, 14


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(os.environ["SSH_AUTH_SOCK"])
    return s


def string(data):
    return struct.pack(">I", len(data)) + data


def read(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise ConnectionError("closed")
        data += part
    return data


def ask(s, message):
    s.sendall(string(message))
    return read(s, struct.unpack(">I", read(s, 4))[0])


def sign_request(key, flags=0):
    return (bytes([SIGN]) + string(base64.b64decode(key)) + string(b"data")
            + struct.pack(">I", flags))


def keys():
    answer = ask(connect(), bytes([LIST]))
    assert answer[0] == LISTED
    n, at = struct.unpack(">I", answer[1:5])[0], 5
    for _ in range(n):
        fields = []
        for _ in range(2):
            size = struct.unpack(">I", answer[at:at + 4])[0]
            fields.append(answer[at + 4:at + 4 + size])
            at += 4 + size
        print("SHA256:" + base64.b64encode(
            hashlib.sha256(fields[0]).digest()).decode().rstrip("="))
    assert at == len(answer)


def sign(key):
    print(ask(connect(), sign_request(key))[0])


def refused():
    s = connect()
    for kind in range(256):
        if kind in (LIST, SIGN):
            continue
        for rest in (b"", string(b"word"), string(b"") * 8):
            assert ask(s, bytes([kind]) + rest) == bytes([FAILURE]), kind
    assert ask(s, bytes([LIST]) + b"x") == bytes([FAILURE])
    assert ask(s, bytes([SIGN])) == bytes([FAILURE])
    assert ask(s, bytes([SIGN]) + b"\xff" * 64) == bytes([FAILURE])


def cut(key):
    s = connect()
    message = string(sign_request(key))
    s.sendall(message[:len(message) // 2])
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b""


def huge():
    s = connect()
    try:
        s.sendall(struct.pack(">I", 1 << 30))
        for _ in range(1 << 14):
            s.sendall(bytes(1 << 16))
    except ConnectionError:
        return
    raise SystemExit("a gigabyte was read")


def thousand(key):
    kinds = {ask(s, sign_request(key))[0]
             for s in [connect()] for _ in range(1000)}
    print(*sorted(kinds))


if __name__ == "__main__":
    {"keys": keys, "sign": sign, "refused": refused, "cut": cut,
     "huge": huge, "thousand": thousand}[sys.argv[1]](*sys.argv[2:])
