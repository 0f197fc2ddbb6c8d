#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Documents of the agent's kind, and what must be left of them.

usage: corpus.py write DIR          real-shaped documents, NAME.json each
       corpus.py large FILE BYTES   one of exactly that size
       corpus.py judge BEFORE AFTER whether AFTER is BEFORE without what goes
       corpus.py run SECONDS COMMAND...  prints the megabytes that it took

The judge knows nothing of drydock's reader: it finds members by a scanner of
its own and compares the bytes of keys and values.
"""
import json
import os
import random
import re
import resource
import subprocess
import sys

GONE = {"oauthAccount", "primaryApiKey", "customApiKeyResponses",
        "githubRepoPaths"}
KEPT_OF_PROJECT = {
    "allowedTools", "disabledMcpjsonServers", "enabledMcpjsonServers",
    "hasClaudeMdExternalIncludesApproved",
    "hasClaudeMdExternalIncludesWarningShown",
    "hasCompletedProjectOnboarding", "hasTrustDialogAccepted",
    "projectOnboardingSeenCount"}
ODD = [
    "0", "-0", "1.0", "1e400", "-1E+400", "1e-400", "0.1e1",
    "9007199254740993", "123456789012345678901234567890", "-9223372036854775809",
    "18446744073709551616", "3.14159265358979323846264338327950288",
    r'"\u0000"', r'"\ud83d\ude00"', r'"\uD83D\uDE00"', r'"\"\\\/\b\f\n\r\t"',
    r'"\u00e9\u00E9"', '"\u00e9\u2028\U0001f600"', '"\x7f"', r'"\u007f\u001b[31m"',
    r'"\ufffe\uffff"', '""', '" "', "true", "false", "null", "[]", "{}", "[[]]",
    '{"":{"":""}}', '{"a b":1,"\\u0061":2,"\\u0000":3}', "[ 1 ,\t2\r\n,3 ]",
]
SPAN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:\[\]{}"]+|[\[\]{}]', re.S | re.A)


def project(i, secret):
    return ('{"allowedTools":["Bash(ls:%d)"], "hasTrustDialogAccepted" : true,'
            '\n "mcpServers":{"s":{"env":{"T":"canary-%s"}}},'
            '"history":[{"display":"canary"}],"exampleFiles":[],'
            '"projectOnboardingSeenCount": %d.0}' % (i, secret, i))


def document(projects=3, blank="\n  ", extra=(), padding=0):
    members = ['"numStartups"%s:9007199254740993' % blank.strip("\n"),
               '"oauthAccount": {"emailAddress":"canary-account"}']
    members += ['"odd%d":%s' % (i, v) for i, v in enumerate(extra)]
    members.append('"mcpServers":{"absent":{"command":"/opt/x","env":{"K":'
                   '"canary-absent"}},"there":{"command":"npx","args":[]}}')
    if projects is not None:
        members.append('"projects":{%s}' % ("," + blank).join(
            '"/home/u/\\u00e9/%d":%s' % (i, project(i, "p%d" % i))
            for i in range(projects)))
    members.append('"primaryApiKey":"canary-key"')
    if padding:
        members.insert(1, '"tips":"%s"' % ("x" * padding))
    return "{" + blank + ("," + blank).join(members) + blank.strip(" ") + "}"


def write(top):
    rng = random.Random(1)
    docs = {
        "object": "{}", "blank-object": " \r\n\t{ \n} \n", "list": "[1.0]",
        "number": "1e400", "string": '"\\u0000"', "null": "null",
        "projects-none": document(None), "projects-empty": document(0),
        "projects-many": document(10000, "\n    "),
        "projects-list": '{"projects":[1,{"allowedTools":[]}]}',
        "projects-odd": '{"projects":{"/a":1,"/b":null,"/c":{}},"x":1.0}',
        "servers-list": '{"mcpServers":[{"command":"docker"},1]}',
        "odd": document(2, "\n  ", ODD), "tight": document(2, "", ODD),
        "crlf": document(2, "\r\n\t", ODD),
        "deep": document(1, " ", ["[" * 100 + "1.0" + "]" * 100]),
        "nothing-kept": '{"oauthAccount":1 , "primaryApiKey":2}\n',
        "escaped-names": '{"\\u006fauthAccount":"canary","a":1}',
    }
    for i in range(8):
        rng.shuffle(ODD)
        docs["random-%d" % i] = document(
            rng.randrange(5), rng.choice(["", " ", "\n  ", "\r\n"]),
            ODD[:rng.randrange(len(ODD))], rng.randrange(70000))
    os.makedirs(top, exist_ok=True)
    for name, text in docs.items():
        with open(os.path.join(top, name + ".json"), "wb") as f:
            f.write(text.encode())


def large(path, size):
    """10,000 projects in it, and blanks to the last byte."""
    text = document(10000, "\n  ", ODD, max(1, size // 2))
    history = '"history":[{"display":"canary"}'
    more = (size - len(text.encode()) - 2000) // 10000
    filler = history + ',"%s"' % ("y" * (more - 4)) if more > 4 else history
    data = text.replace(history, filler).encode()
    with open(path, "wb") as f:
        f.write(data + b" " * (size - len(data) - 1) + b"\n")
    assert os.path.getsize(path) == size


class Reader:
    """Values with the bytes that they stand in, a character each."""

    def __init__(self, text):
        self.text = text
        self.tokens = [(m.start(), m.end()) for m in SPAN.finditer(text)]
        self.at = 0

    def value(self):
        start, end = self.tokens[self.at]
        self.at += 1
        c = self.text[start]
        if c not in "{[":
            return ("scalar", self.text[start:end], None)
        items = []
        while self.text[self.tokens[self.at][0]] not in "}]":
            key = None
            if c == "{":
                key = self.text[slice(*self.tokens[self.at])]
                self.at += 1
            items.append((key, self.value()))
        end = self.tokens[self.at][1]
        self.at += 1
        return (c, self.text[start:end], items)


def name(key):
    return json.loads(key.encode("latin-1"))


def is_absent(server):
    for key, value in server[2] or []:
        if key is not None and name(key) == "command" and value[1][0] == '"':
            command = name(value[1])
            return command.startswith("/") and not command.startswith(
                ("/usr/bin/", "/bin/"))
    return False


def same(got, want, where):
    """got is want without what goes: the same members with the same bytes."""
    if got[0] != want[0]:
        sys.exit("%s: another kind" % (where,))
    if want[2] is None or len(where) > 3:
        if got[1] != want[1]:
            sys.exit("%s: other bytes: %r" % (where, got[1][:200]))
        return
    left = [(k, v) for k, v in want[2] if keeps(where, k, v)]
    if len(left) != len(got[2]):
        sys.exit("%s: %d members, not %d" % (where, len(got[2]), len(left)))
    if len(left) == len(want[2]) and not (
            where == () or where[0] in ("projects", "mcpServers")):
        if got[1] != want[1]:
            sys.exit("%s: other bytes" % (where,))
    for i, ((gk, gv), (wk, wv)) in enumerate(zip(got[2], left)):
        if gk != wk:
            sys.exit("%s: key %r, not %r" % (where, gk, wk))
        same(gv, wv, where + (name(wk) if wk is not None else i,))


def keeps(where, key, value):
    key = None if key is None else name(key)
    if where == ():
        return key not in GONE
    if where == ("mcpServers",):
        return not is_absent(value)
    if where == ("projects",):
        return value[0] == "{"
    if len(where) == 2 and where[0] == "projects":
        return key in KEPT_OF_PROJECT
    return True


def judge(before, after):
    with open(before, "rb") as f:
        want = f.read()
    with open(after, "rb") as f:
        got = f.read()
    if b"canary" in got:
        sys.exit("a canary is left")
    if json.loads(want) is not None:
        json.loads(got)
    same(Reader(got.decode("latin-1")).value(),
         Reader(want.decode("latin-1")).value(), ())


def run(seconds, command):
    done = subprocess.run(command, timeout=float(seconds),
                          stdout=subprocess.DEVNULL)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
    sys.exit(done.returncode)


verb, args = sys.argv[1], sys.argv[2:]
if verb == "write":
    write(args[0])
elif verb == "large":
    large(args[0], int(args[1]))
elif verb == "judge":
    judge(*args)
elif verb == "run":
    run(args[0], args[1:])
