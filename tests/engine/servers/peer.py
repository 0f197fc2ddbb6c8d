#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Both ends of connections to a port.

peer.py serve PORT         answers each connection as its first line says
peer.py many PORT N        N connections at once: nothing is lost or mixed up
peer.py late PORT          the answer comes after the end of the question
peer.py slow PORT MIB      reads MIB slowly: nothing is lost
peer.py closed PORT        the connection is closed, within two seconds
peer.py break PORT         a break arrives as a break, not as an end
peer.py hold PORT          holds a connection until it is ended
"""
import socket
import struct
import sys
import threading
import time


def read_all(s):
    parts = []
    while not parts or parts[-1]:
        parts.append(s.recv(65536))
    return b"".join(parts)


def answer(s):
    with s:
        f = s.makefile("rb")
        word = f.readline().decode().split()
        if word[0] == "echo":
            s.sendall(f.read())
        elif word[0] == "late":
            data = f.read()
            time.sleep(2)
            s.sendall(data)
        elif word[0] == "send":
            block = bytes(range(256)) * 4096
            for _ in range(int(word[1])):
                s.sendall(block)
        elif word[0] == "hold":
            s.sendall(b"held\n")
            f.read()
        elif word[0] == "break":
            s.sendall(b"half")
            f.readline()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))


def serve(port):
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    print("ready", flush=True)
    while True:
        s, _ = listener.accept()
        threading.Thread(target=answer, args=(s,), daemon=True).start()


def connect(port, line):
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    s.sendall(line)
    return s


def many(port, n):
    peers = [connect(port, b"echo\n") for _ in range(n)]
    for i, s in enumerate(peers):
        s.sendall(b"%d." % i * 1000)
        s.shutdown(socket.SHUT_WR)
    for i, s in enumerate(peers):
        assert read_all(s) == b"%d." % i * 1000, i


def late(port):
    s = connect(port, b"late\nquestion")
    s.shutdown(socket.SHUT_WR)
    assert read_all(s) == b"question"


def slow(port, mib):
    s = connect(port, b"send %d\n" % mib)
    time.sleep(3)
    data = read_all(s)
    assert data == bytes(range(256)) * 4096 * mib, len(data)


def closed(port):
    begin = time.monotonic()
    try:
        s = socket.create_connection(("127.0.0.1", port), timeout=30)
        assert s.recv(1) == b""
    except ConnectionError:
        pass
    assert time.monotonic() - begin < 2


def broken(port):
    s = connect(port, b"break\n")
    assert s.recv(4, socket.MSG_WAITALL) == b"half"
    s.sendall(b"go\n")
    try:
        assert s.recv(1) is None
    except ConnectionResetError:
        return


def hold(port):
    s = connect(port, b"hold\n")
    print(s.recv(5).decode().strip(), flush=True)
    s.settimeout(60)
    try:
        s.recv(1)
    except ConnectionError:
        pass


if __name__ == "__main__":
    {"serve": serve, "many": many, "late": late, "slow": slow,
     "closed": closed, "break": broken,
     "hold": hold}[sys.argv[1]](*map(int, sys.argv[2:]))
