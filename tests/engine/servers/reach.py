#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""reach.py KIND:ADDRESS:PORT...: prints what of it can be reached.

KIND is tcp (connect), udp-dns or tcp-dns (a query is answered).  Prints
"TARGET yes" or "TARGET no".
"""

import socket
import struct
import sys

NAME = "reach.drydock.test"
QUERY = (
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    + b"".join(bytes([len(part)]) + part.encode() for part in NAME.split("."))
    + b"\x00\x00\x01\x00\x01"
)


def reach(kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = kind == "udp-dns"
    with socket.socket(
        family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    ) as sock:
        sock.settimeout(3)
        sock.connect((address, port))
        if udp:
            sock.send(QUERY)
            return len(sock.recv(512)) > 0
        if kind == "tcp-dns":
            sock.sendall(struct.pack("!H", len(QUERY)) + QUERY)
            return len(sock.recv(512)) > 0
        return True


for target in sys.argv[1:]:
    kind, rest = target.split(":", 1)
    address, port = rest.rsplit(":", 1)
    try:
        answer = reach(kind, address.strip("[]"), int(port))
    except OSError:
        answer = False
    print(target, "yes" if answer else "no")
