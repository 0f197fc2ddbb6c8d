#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An upstream proxy: prints each request's first line, and connects every name
to one address.

parent.py PORT ADDRESS
"""
import socket
import socketserver
import sys
import threading


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            data = self.request.recv(65536)
            if not data:
                return
            head += data
        first, rest = head.split(b"\r\n", 1)
        print(first.decode("latin-1"), flush=True)
        method, target = first.split(b" ")[:2]
        connects = method == b"CONNECT"
        if not connects:
            target = target.split(b"/")[2]
        port = target.rsplit(b":", 1)[1] if b":" in target else b"80"
        server = socket.create_connection((sys.argv[2], int(port)))
        if connects:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            server.sendall(head)
        thread = threading.Thread(target=copy, args=(server, self.request))
        thread.start()
        copy(self.request, server)
        thread.join()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("", int(sys.argv[1])), Handler).serve_forever()
