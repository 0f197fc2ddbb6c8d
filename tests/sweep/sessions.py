# SPDX-License-Identifier: MIT
"""What is done with a session that goes on without its viewer."""
import json
import os
import shutil
import signal
import time

import terminal
from bed import SECONDS

EXEC = ["exec", "@SESSION@", "--", "/bin/sh", "-c",
        "echo ran >>mark; echo said; exit 3"]


def mark(bed):
    try:
        with open(bed.path("project/mark")) as f:
            return f.read()
    except FileNotFoundError:
        return ""


def put(bed, name, text):
    os.makedirs(os.path.dirname(bed.path(name)), mode=0o700, exist_ok=True)
    with open(bed.path(name), "w") as f:
        f.write(text)
    os.chmod(bed.path(name), 0o600)


def start_detached(bed):
    status, shown = terminal.drive(
        bed.command(["run", "--agent", "screen", "@PROJECT@"]), bed.learning(),
        [("ready", "\x1c")], SECONDS)
    names = set(os.listdir(os.path.join(bed.state, "sessions"))) - {bed.live}
    if len(names) != 1 or status != 0:
        raise RuntimeError("no detached session: %d %s" % (status, shown))
    bed.session = names.pop()
    bed.settle()


def agent_of(bed):
    """The detached session's agent: how it is, and its status or pid."""
    top = agent_dir(bed)
    if top is None:
        return None, None
    with open(os.path.join(top, "state")) as f:
        words = f.read().split()
    runs = bed.pid(os.path.basename(top))
    return ("running" if runs else "exited"), int(words[1])


def session_there(bed):
    return os.path.isdir(os.path.join(bed.state, "sessions", bed.session))


def agent_dir(bed):
    """The detached session's agent, in the world."""
    for c in bed.containers():
        top = os.path.join(bed.world, "containers", c)
        with open(os.path.join(top, "labels")) as f:
            labels = f.read()
        with open(os.path.join(top, "role")) as f:
            if bed.session in labels and f.read() == "agent":
                return top
    return None


def attach_done(bed, run):
    """Where the connection was lost the status is the engine's to tell."""
    return mark(bed) == "bye\n" and (
        "bye" in run.out or "was lost before the command ended" in run.err)


def attach_check(bed, run):
    """It runs, or its own command ended it; its files are there till then."""
    how, status = agent_of(bed)
    if how == "running" and session_there(bed):
        return []
    if mark(bed) == "bye\n" and how in (None, "exited") and status in (
            None, 7):
        return []
    return ["the session that was attached to is %s %s" % (how, status)]


TYPED = [("ready", "go\r")]


def attach_again(bed):
    if agent_of(bed)[0] != "running":
        return []
    status, shown = terminal.drive(
        bed.command(["attach", "@SESSION@"]), bed.learning(), TYPED, SECONDS)
    # What was typed before may end it now.
    if (status == 7 and "bye" in shown) or (
            mark(bed) == "bye\n" and "ended with status 7" in shown):
        return []
    return ["attach: status %d: %s" % (status, shown)]


# One that stopped with its engine: attach starts it again.

def stop_outside(bed):
    start_detached(bed)
    bed.end_others(signal.SIGKILL)


# One whose record lost the digest of its plan.

def lose_digest(bed):
    stop_outside(bed)
    path = os.path.join(bed.state, "sessions", bed.session, "session.json")
    with open(path) as f:
        record = json.load(f)
    del record["plan_digest"]
    with open(path, "w") as f:
        json.dump(record, f)


def reseal_done(bed, run):
    return run.out == (
        "%s: the plan is as launched; its record is written again\n"
        % bed.session)


def reseal_check(bed, run):
    """Nothing is started, and the record names all or what it named."""
    how, _ = agent_of(bed)
    bad = [] if how == "exited" else ["the agent is %s" % how]
    if len(record_of(bed)["containers"]) != 2:
        bad.append("the record lost containers")
    return bad


def reseal_again(bed):
    run = bed.plain(["reseal", "@SESSION@"])
    if run.status != 0 or not record_of(bed).get("plan_digest"):
        return ["reseal: status %d: %s" % (run.status, run.err)]
    return forced_again(bed)


# One whose holder died by itself: no end is noted, whatever the status.

def crash_holder(bed):
    start_detached(bed)
    init = bed.pid(os.path.basename(agent_dir(bed)))
    with open("/proc/%d/task/%d/children" % (init, init)) as f:
        holder = int(f.read().split()[0])
    os.kill(holder, signal.SIGABRT)
    deadline = time.time() + SECONDS
    while agent_of(bed) != ("exited", 128 + signal.SIGABRT):
        if time.time() > deadline:
            raise RuntimeError("the holder does not end: %s %s" % agent_of(bed))
        time.sleep(0.01)
    # The proxy would go on, and what runs cannot be put back after a run.
    bed.end_others(signal.SIGKILL)


def crashed_done(bed, run):
    """It is passed by."""
    return session_there(bed) and agent_dir(bed) is not None


def resume_check(bed, run):
    """Its files and its container are there till its own command ended."""
    if mark(bed) == "bye\n" or (
            session_there(bed) and agent_dir(bed) is not None):
        return []
    return ["the session that was stopped is gone"]


def resume_again(bed):
    status, shown = 1, "has ended"
    if session_there(bed):
        status, shown = terminal.drive(
            bed.command(["attach", "@SESSION@"]), bed.learning(), TYPED,
            SECONDS)
    if mark(bed) == "bye\n" and (
            # What was typed before may have ended it.
            (status == 7 and "bye" in shown) or "has ended" in shown):
        return []
    return ["attach: status %d: %s" % (status, shown)]


def stop_done(bed, run):
    return run.out == bed.session + " ended\n" and not session_there(
        bed) and agent_of(bed)[0] is None


def stop_check(bed, run):
    """Its files go when nothing of it runs, and not before."""
    if not session_there(bed) and agent_of(bed)[0] == "running":
        return ["a session that runs has no files"]
    return []


def stop_again(bed):
    if not session_there(bed):
        return []
    run = bed.plain(["stop", "@SESSION@"])
    return [] if run.status == 0 and stop_done(bed, run) else [
        "stop: status %d: %s" % (run.status, run.err)]


# One that the engine has lost.

def lose_container(bed):
    start_detached(bed)
    bed.end_others(signal.SIGKILL)
    shutil.rmtree(agent_dir(bed))


def forced_again(bed):
    if not session_there(bed):
        return []
    run = bed.plain(["stop", "--force", "@SESSION@"])
    return [] if run.status == 0 and stop_done(bed, run) else [
        "stop --force: status %d: %s" % (run.status, run.err)]


def record_of(bed):
    with open(os.path.join(
            bed.state, "sessions", bed.session, "session.json")) as f:
        return json.load(f)


# An engine that has another identity than when the session was made.

def change_engine(bed):
    start_detached(bed)
    put(bed, "bin/world.d/id", "WRLD:0002")


def adopt_done(bed, run):
    return record_of(bed)["engine_id"] == "WRLD:0002"


def adopt_check(bed, run):
    """The record alone is another."""
    return [] if agent_of(bed)[0] == "running" and session_there(bed) else [
        "a session that is adopted does not run"]


def adopt_again(bed):
    if not adopt_done(bed, None):
        status, shown = terminal.drive(
            bed.command(["gc", "--adopt"]), bed.learning(), ADOPT, SECONDS)
        if status != 0 or not adopt_done(bed, None):
            return ["gc --adopt: status %d: %s" % (status, shown)]
    # The record of images is for the engine as it was.
    bed.plain(["build"])
    return attach_again(bed)


ADOPT = [("[y/N]", "y\r")]


# Commands beside a session, which goes on.

def beside_check(bed, run):
    return [] if agent_of(bed)[0] == "running" and session_there(bed) else [
        "the session does not go on"]


def exec_done(bed, run):
    return mark(bed) == "ran\n" and run.out == "said\n"


def exec_again(bed):
    if mark(bed):
        os.unlink(bed.path("project/mark"))
    run = bed.plain(EXEC)
    if run.status != 3 or not exec_done(bed, run):
        return ["exec: status %d: %s" % (run.status, run.err)]
    return stop_again(bed)


RESTORE = ["diff", "--restore", "--yes", "@SESSION@"]


def change_files(bed):
    """One file that direnv runs is changed, and one of agents is new."""
    for name in (".envrc", ".mcp.json"):
        if os.path.exists(bed.path("project/" + name)):
            os.unlink(bed.path("project/" + name))
    put(bed, bed.path("project/.envrc"), "start\n")
    start_detached(bed)
    put(bed, bed.path("project/.envrc"), "other\n")
    put(bed, bed.path("project/.mcp.json"), "new\n")


def versions(bed, name):
    """What the file is now, and what is kept of it."""
    project = bed.path("project")
    found = {}
    for d in (project, os.path.join(bed.state, "ended",
                                    bed.session + ".kept")):
        for entry in os.listdir(d) if os.path.isdir(d) else ():
            if name in entry:
                with open(os.path.join(d, entry)) as f:
                    found[os.path.join(d, entry)] = f.read()
    return found.get(os.path.join(project, name)), set(found.values())


def restore_done(bed, run):
    return versions(bed, ".envrc") == ("start\n", {"start\n", "other\n"}) and \
        versions(bed, ".mcp.json") == (None, {"new\n"})


def restore_check(bed, run):
    """No version is lost, and none is half a file."""
    now, of_envrc = versions(bed, ".envrc")
    of_mcp = versions(bed, ".mcp.json")
    if now not in ("start\n", "other\n") or "other\n" not in of_envrc or \
            of_mcp[0] not in (None, "new\n") or "new\n" not in of_mcp[1]:
        return ["a version is lost: %s %s %s" % (now, of_envrc, of_mcp)]
    return beside_check(bed, run)


def restore_again(bed):
    run = bed.plain(RESTORE)
    # A kill leaves the other version, or an unfinished file, beside it.
    for entry in os.listdir(bed.path("project")):
        if entry.startswith(".") and entry not in (".envrc", ".mcp.json"):
            os.unlink(bed.path("project/" + entry))
    if run.status != 0 or versions(bed, ".envrc")[0] != "start\n" or \
            versions(bed, ".mcp.json")[0] is not None:
        return ["diff --restore: status %d: %s" % (run.status, run.err)]
    return stop_again(bed)


def write_logs(bed):
    start_detached(bed)
    put(bed, os.path.join(bed.state, "sessions", bed.session,
                          "sidecar/log/access.log"), "asked\n")
    put(bed, os.path.join(agent_dir(bed), "log"), "\x1b[31mwritten\n")


def logs_done(bed, run):
    return run.out == ("== proxy\nasked\n== container, stdout\n"
                       "\\033[31mwritten\n")


def logs_again(bed):
    run = bed.plain(["logs", "@SESSION@"])
    if run.status != 0 or not logs_done(bed, run):
        return ["logs: status %d: %s" % (run.status, run.err)]
    return stop_again(bed)
