#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""api.py COMMAND PORT-FILE LOG: a model that wants to run COMMAND once.

Answers the first message with a call of the client's shell tool, writes the
tool's result to LOG as "is_error=... wall=... TEXT", and says DONE from then on.
wall: the client told the model what a refusal of drydock's proxy means.  Speaks
Anthropic's messages, OpenAI's responses and chat completions, and Gemini's
generateContent.
"""

import http.server
import json
import os
import sys

COMMAND, PORT_FILE, LOG = sys.argv[1:]
WALL = "drydock allow HOST"
USAGE = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


def parts_of(messages, key):
    for message in messages:
        if isinstance(message.get(key), list):
            yield from message[key]


class Messages:
    """Anthropic: POST /v1/messages."""

    def __init__(self, body):
        self.tools = body.get("tools")
        self.results = [
            (bool(part.get("is_error")), part.get("content"))
            for part in parts_of(body.get("messages", []), "content")
            if part.get("type") == "tool_result"
        ]

    def stream(self, block, delta, stop):
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        for event in (
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": stop, "stop_sequence": None},
                "usage": {"output_tokens": 1},
            },
            {"type": "message_stop"},
        ):
            yield event["type"], event

    def say(self):
        return self.stream(
            {"type": "text", "text": ""},
            {"type": "text_delta", "text": "DONE"},
            "end_turn",
        )

    def call(self):
        call = json.dumps({"command": COMMAND, "description": "x"})
        return self.stream(
            {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}},
            {"type": "input_json_delta", "partial_json": call},
            "tool_use",
        )


class Responses:
    """OpenAI: POST /v1/responses."""

    def __init__(self, body):
        self.tools = body.get("tools")
        self.results = [
            (None, item.get("output"))
            for item in body.get("input", [])
            if item.get("type") == "function_call_output"
        ]

    def stream(self, item):
        yield "response.created", {"response": {"id": "resp_1"}}
        yield "response.output_item.done", {"output_index": 0, "item": item}
        done = {"id": "resp_1", "output": [], "usage": USAGE}
        yield "response.completed", {"response": done}

    def say(self):
        return self.stream(
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "DONE"}],
            }
        )

    def call(self):
        names = [tool.get("name") for tool in self.tools]
        one = {"exec_command": "cmd", "shell_command": "command"}
        name = next(name for name in one if name in names)
        return self.stream(
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": name,
                "arguments": json.dumps({one[name]: COMMAND}),
            }
        )


class Chat:
    """OpenAI: POST /v1/chat/completions."""

    def __init__(self, body):
        self.tools = body.get("tools")
        self.results = [
            (None, message.get("content"))
            for message in body.get("messages", [])
            if message.get("role") == "tool"
        ]

    def stream(self, delta, stop):
        for choice in (
            {"index": 0, "delta": {"role": "assistant", **delta}},
            {"index": 0, "delta": {}, "finish_reason": stop},
        ):
            yield None, {
                "id": "chat_1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "scripted",
                "choices": [choice],
            }

    def say(self):
        return self.stream({"content": "DONE"}, "stop")

    def call(self):
        arguments = json.dumps({"command": COMMAND, "description": "x"})
        function = {"name": "bash", "arguments": arguments}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        return self.stream({"tool_calls": [call]}, "tool_calls")


class Gemini:
    """Google: POST /v1beta/models/NAME:streamGenerateContent."""

    def __init__(self, body):
        self.tools = body.get("tools")
        self.results = [
            (None, part["functionResponse"].get("response"))
            for part in parts_of(body.get("contents", []), "parts")
            if "functionResponse" in part
        ]

    def stream(self, part):
        content = {"role": "model", "parts": [part]}
        yield None, {
            "candidates": [{"index": 0, "content": content, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 2},
        }

    def say(self):
        return self.stream({"text": "DONE"})

    def call(self):
        arguments = {"command": COMMAND, "description": "x"}
        return self.stream(
            {"functionCall": {"name": "run_shell_command", "args": arguments}}
        )


def protocol_of(path):
    for end, protocol in (
        ("/responses", Responses),
        ("/chat/completions", Chat),
        (":streamGenerateContent", Gemini),
        ("/messages", Messages),
    ):
        if path.partition("?")[0].endswith(end):
            return protocol
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        size = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(size) or b"{}")
        protocol = protocol_of(self.path)
        if protocol is None:
            self.send_error(404)
            return
        model = protocol(body)
        if model.results:
            is_error, text = model.results[-1]
            with open(LOG, "w") as log:
                log.write(f"is_error={is_error} wall={WALL in json.dumps(body)}")
                log.write(f" {json.dumps(text)}\n")
        events = model.say() if model.results or not model.tools else model.call()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for kind, event in events:
            if kind is not None:
                event = {"type": kind, **event}
                self.wfile.write(f"event: {kind}\n".encode())
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(PORT_FILE + ".new", "w") as port_file:
    port_file.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
