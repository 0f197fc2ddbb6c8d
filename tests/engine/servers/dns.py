#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A resolver that writes down every name it is asked.

dns.py NETNS ADDRESS ZONE LOG

Listens on ADDRESS:53 (UDP and TCP) inside the network namespace NETNS.  Names
in ZONE ("NAME ADDRESS" lines, read again for each query) and everything below
.test are answered here; other names go to the machine's own resolver, asked
from the namespace that the server was started in, so that images can be built
meanwhile.  LOG gets "TRANSPORT NAME TYPE" lines.
"""

import ctypes
import os
import socket
import socketserver
import struct
import sys
import threading

CLONE_NEWNET = 0x40000000
IP_FREEBIND = 15
TYPE_A = 1


def enter(fd):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def question(query):
    """The name and type that a query asks for, and where the question ends."""
    labels = []
    at = 12
    while query[at] != 0:
        size = query[at]
        labels.append(query[at + 1 : at + 1 + size].decode("latin-1"))
        at += 1 + size
    return ".".join(labels).lower(), struct.unpack_from("!H", query, at + 1)[0], at + 5


def upstream():
    with open("/etc/resolv.conf") as conf:
        for line in conf:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                return words[1]
    return "127.0.0.1"


def forward(query):
    family = socket.AF_INET6 if ":" in upstream() else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(query, (upstream(), 53))
        return sock.recv(65535)


def answer(query, zone_path):
    name, kind, end = question(query)
    addresses = []
    known = name == "test" or name.endswith(".test")
    with open(zone_path) as zone:
        for line in zone:
            words = line.split()
            if len(words) == 2 and words[0] == name:
                known = True
                addresses.append(words[1])
    if not known:
        return forward(query)
    found = [a for a in addresses if kind == TYPE_A]
    code = 0 if addresses else 3
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, 1, 1, 4) + socket.inet_aton(a)
        for a in found
    )
    return head + query[12:end] + records


class Recorder:
    def __init__(self, zone, log):
        self.zone = zone
        self.log = log
        self.lock = threading.Lock()

    def serve(self, transport, query):
        name, kind, _ = question(query)
        with self.lock, open(self.log, "a") as log:
            log.write(f"{transport} {name} {kind}\n")
        return answer(query, self.zone)


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        try:
            sock.sendto(self.server.recorder.serve("udp", data), self.client_address)
        except (OSError, IndexError, struct.error):
            pass


class Tcp(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(5)
        try:
            size = struct.unpack("!H", self.request.recv(2, socket.MSG_WAITALL))[0]
            data = self.request.recv(size, socket.MSG_WAITALL)
            reply = self.server.recorder.serve("tcp", data)
            self.request.sendall(struct.pack("!H", len(reply)) + reply)
        except (OSError, IndexError, struct.error):
            pass


def freebind(base):
    class Server(socketserver.ThreadingMixIn, base):
        daemon_threads = True
        allow_reuse_address = True

        def server_bind(self):
            # The engine makes the bridge that owns this address later.
            self.socket.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
            super().server_bind()

    return Server


def main():
    netns, address, zone, log = sys.argv[1:]
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(netns, os.O_RDONLY)
    enter(there)
    servers = [
        freebind(socketserver.UDPServer)((address, 53), Udp),
        freebind(socketserver.TCPServer)((address, 53), Tcp),
    ]
    enter(home)
    recorder = Recorder(zone, log)
    open(log, "a").close()
    for server in servers:
        server.recorder = recorder
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
