#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""api.py COMMAND PORT-FILE LOG: a model that wants to run COMMAND once.

Answers the first message with a Bash tool call, writes the tool's result to
LOG as "is_error=... TEXT", and says DONE from then on.
"""

import http.server
import json
import os
import sys

COMMAND, PORT_FILE, LOG = sys.argv[1:]


def results(messages):
    for message in messages:
        if isinstance(message.get("content"), list):
            for block in message["content"]:
                if block.get("type") == "tool_result":
                    yield block


def events(block, deltas, stop):
    yield {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
    }
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": None},
        "usage": {"output_tokens": 1},
    }
    yield {"type": "message_stop"}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        size = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(size) or b"{}")
        done = list(results(body.get("messages", [])))
        if done:
            with open(LOG, "w") as log:
                log.write(
                    f"is_error={bool(done[-1].get('is_error'))} "
                    f"{json.dumps(done[-1].get('content'))}\n"
                )
        if done or not body.get("tools"):
            stream = events(
                {"type": "text", "text": ""},
                [{"type": "text_delta", "text": "DONE"}],
                "end_turn",
            )
        else:
            call = json.dumps({"command": COMMAND, "description": "x"})
            stream = events(
                {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}},
                [{"type": "input_json_delta", "partial_json": call}],
                "tool_use",
            )
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in stream:
            line = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
            self.wfile.write(line.encode())

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(PORT_FILE + ".new", "w") as port_file:
    port_file.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
