#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A forge over https: githttp.py CERT KEY PORT ROOT.

Serves the repositories below ROOT by git-http-backend(1), and takes pushes from
everybody who gives a user name.
"""

import base64
import http.server
import ssl
import subprocess
import sys

CERT, KEY, PORT, ROOT = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def user(self):
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return ""
        return base64.b64decode(word).decode().partition(":")[0]

    def do_GET(self):
        path, _, query = self.path.partition("?")
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(size)
        user = self.user()
        if not user and "git-receive-pack" in self.path:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=forge")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        env = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": ROOT,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": user,
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        answer = subprocess.run(
            ["git", "http-backend"], input=body, env=env, stdout=subprocess.PIPE
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = [value for name, value in lines if name == "Status"]
        self.send_response(int(status[0].split()[0]) if status else 200)
        for name, value in lines:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
server = http.server.ThreadingHTTPServer(("", int(PORT)), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
