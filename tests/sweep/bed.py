# SPDX-License-Identifier: MIT
"""Where a scenario runs: a prefix for all, and for each worker a world."""
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import faults
import terminal

CANARY = "canary-5d0c2b7e"
SECONDS = 240  # for a run; the settings below bound what drydock awaits
WAIT = "60s"
USER = 12345

# An agent that needs the canary, one on a terminal, and one whose
# configuration and conversations are brought along.
AGENTS = {
    "fake": '''{"command": ["/bin/sh", "-c",
      "test \\"$FAKE_TOKEN\\" && echo ran >>mark; exit 42"],
      "secrets": ["FAKE_TOKEN"], "history_link": ".fake/history"}''',
    "screen": '''{"command": ["/bin/sh", "-c",
      "echo ready; read x; echo bye | tee -a mark; exit 7"]}''',
    "synced": '''{"command": ["/bin/sh", "-c",
      "echo $ONE $TWO >>mark;
      test \\"$FAKE_TOKEN\\" && cd ../bin/world.d/containers/*/tree$HOME/.synced
      && cat one ../.extra >>$OLDPWD/mark; exit 42"],
      "secrets": ["FAKE_TOKEN"], "history_link": ".synced/history",
      "token": {"variable": "FAKE_KEY", "advice": "ask"},
      "hosts": ["one.example.org"],
      "sync": {"trees": [{"path": ".synced", "exclude": ["history"]}],
        "documents": [{"path": ".synced.json", "to": ".synced/all.json",
          "drop": [".secret?"], "drop_at_seed": [".projects?"]}],
        "credentials": [".credentials*"]}}''',
}


class Base:
    """The test build of drydock, installed; kept answers of Compose."""

    def __init__(self, build, source, within=None):
        """within: a directory of the caller's, which stays; None: a new one."""
        self.build = os.path.realpath(build)
        self.source = os.path.realpath(source)
        self.dir = within or make_dir()
        self.mine = within is None
        self.world = os.path.join(self.build, "tests/stub/world")
        self.inject = os.path.join(self.build, "tests/sweep/inject")
        self.names = os.path.join(self.build, "tests/sweep/names.so")
        self.worker = os.path.join(self.build, "tests/sweep/worker")
        prefix = os.path.join(self.dir, "prefix")
        share = os.path.join(prefix, "share/drydock")
        self.drydock = os.path.join(prefix, "bin/drydock")
        os.makedirs(os.path.join(prefix, "bin"))
        os.makedirs(os.path.join(prefix, "libexec/drydock"))
        shutil.copy(os.path.join(self.build, "tests/sweep/drydock-world"),
                    self.drydock)
        for name in ("compose", "images", "agents", "toolchains"):
            shutil.copytree(os.path.join(self.source, name),
                            os.path.join(share, name))
        # An archive's files may be the group's to write; these may not.
        subprocess.run(["chmod", "-R", "go-w", prefix], check=True)
        self.holder = os.path.join(prefix, "libexec/drydock/holder")
        # As packages have it; it is read again and again.
        subprocess.run(["strip", "-o", self.holder,
                        os.path.join(self.build, "holder")], check=True)
        # One image for all: what it is made of is what claude's is.
        with open(os.path.join(share, "agents/claude.json")) as f:
            claude = json.load(f)
        for name, text in AGENTS.items():
            agent = json.loads(text.replace("\n", " "))
            for key in ("npm", "guardrails"):
                agent[key] = claude[key]
            with open(os.path.join(share, "agents", name + ".json"), "w") as f:
                json.dump(agent, f)
        # Without the real docker, which would wait for the engine's answer.
        self.tools = os.path.join(self.dir, "tools")
        os.mkdir(self.tools)
        for name in os.listdir("/usr/bin"):
            if not name.startswith("docker"):
                os.symlink("/usr/bin/" + name, os.path.join(self.tools, name))
        self.templates = os.path.join(self.dir, "templates")
        os.mkdir(self.templates)
        self.guard = os.path.join(self.dir, "guard")
        self.compose = next(
            p for p in ("/usr/bin/docker-compose",
                        "/usr/libexec/docker/cli-plugins/docker-compose",
                        "/usr/lib/docker/cli-plugins/docker-compose")
            if os.path.exists(p))

    def remove(self, keep):
        if keep:
            print("# kept: " + self.dir)
        elif self.mine:
            remove_dir(self.dir)


def make_dir(owner=0):
    """For root a tmpfs, in a namespace of its own."""
    path = tempfile.mkdtemp(prefix="dds.", dir="/tmp")
    os.chmod(path, 0o755)
    if os.geteuid() == 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,uid=%d"
                        % owner, "tmpfs", path], check=True)
    return path


def remove_dir(path):
    if os.geteuid() == 0:
        subprocess.run(["umount", "-l", path], check=True)
    subprocess.run(["chmod", "-R", "u+w", path])
    shutil.rmtree(path)


def remove_tree(path):
    if os.path.exists(path):
        subprocess.run(["chmod", "-R", "u+rwX", path], check=True)
        shutil.rmtree(path)


def as_user(argv, results):
    """The same program once more, as an ordinary user under umask 077; what it
    writes comes back: the name in its directory, and the file for it or None."""
    path = make_dir(USER)
    try:
        status = subprocess.run(
            ["setpriv", "--reuid", str(USER), "--regid", str(USER),
             "--clear-groups", "sh", "-c", 'umask 077; exec "$@"', "sh",
             sys.executable] + argv + ["--within", path]).returncode
        for name, to in results.items():
            if to is not None and os.path.exists(os.path.join(path, name)):
                shutil.copyfile(os.path.join(path, name), to)
        return status
    finally:
        remove_dir(path)


def enter_namespace():
    """Of mounts, for root: a tmpfs that nobody else sees or must remove."""
    # So that a TERM runs what is under "finally".
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.geteuid() == 0 and "SWEEP_OWN_MOUNTS" not in os.environ:
        os.environ["SWEEP_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation",
                              "private", sys.executable] + sys.argv)


class Run:
    def __init__(self, status, out, err, calls, hit, fault, outcome=None,
                 state=None):
        self.status = status
        self.out = out
        self.err = err
        self.calls = calls
        self.hit = hit
        self.fault = fault
        self.outcome = outcome  # two runs of one outcome ended alike
        self.state = state  # of the world, after it


class Bed:
    def __init__(self, base, number):
        self.base = base
        cpus = sorted(os.sched_getaffinity(0))
        self.cpu = cpus[number % len(cpus)]
        self.root = os.path.join(base.dir, "w%d" % number)
        self.kept = self.root + ".seed"
        self.log = self.root + ".strace"
        self.hit = self.root + ".hit"
        self.worker = None
        self.common = False  # what scenarios have in common is kept
        self.without_secret = {}  # files that rules.py looked at
        self.lasting = False  # what a scenario adds for many runs is there
        self.client = None
        self.live = None
        self.session = None  # which the scenario's command is about
        self.live_containers = self.live_pids = ()
        self.engine = None  # serves the world's API

    def pin(self):
        """This thread, and what it starts, to one processor: a tracer and who
        is traced wake each other at every call."""
        os.sched_setaffinity(0, {self.cpu})

    def path(self, *names):
        return os.path.join(self.root, *names)

    @property
    def world(self):
        return self.path("bin/world.d")

    @property
    def state(self):
        return self.path("state/drydock")

    def env(self):
        return {
            "HOME": self.path("home"),
            "XDG_CONFIG_HOME": self.path("config"),
            "XDG_STATE_HOME": self.path("state"),
            "XDG_RUNTIME_DIR": self.path("runtime"),
            "PATH": self.path("bin") + ":" + self.base.tools,
            "DRYDOCK_DOCKER": self.path("bin/docker"),
            "DRYDOCK_COMPOSE": self.path("bin/docker-compose"),
            "DOCKER_HOST": "unix://%s.sock" % self.root,
            "WORLD_DIR": self.world,
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "FAKE_TOKEN": CANARY,
            "PASSED": CANARY,
        }

    def env_of(self, scenario):
        """A launch is judged once; what a judgement itself does when it fails,
        other scenarios see."""
        return {**self.env(), "WORLD_JUDGED": self.judged()} \
            if scenario.launches else self.env()

    def learning(self):
        """Of a command beside: what the policy had no complaint of once, it
        need not be asked again."""
        return {**self.env(), "WORLD_JUDGED": self.judged(),
                "WORLD_JUDGED_TO": self.root + ".judged"}

    def judged(self):
        try:
            with open(self.root + ".judged") as f:
                return " ".join(f.read().split())
        except FileNotFoundError:
            return ""

    def start_engine(self):
        """It keeps nothing but in the world, and ends when we do."""
        if self.engine is None:
            self.engine = subprocess.Popen(
                [self.base.world, "serve", self.path("bin"),
                 self.root + ".sock", "until-eof"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            if self.engine.stdout.readline() != b"listening\n":
                raise RuntimeError("no engine")

    def ask_all_seen(self):
        """Until the engine has begun with each call that it was sent."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.root + ".sock")
            s.shutdown(socket.SHUT_WR)
            s.recv(1)

    def command(self, args, project="project"):
        return [self.base.drydock] + [
            a.replace("@PROJECT@", self.path(project))
            .replace("@SESSION@", self.session or "") for a in args]

    def plain(self, args, project="project", check=False, extra=None,
              settle=True, given=""):
        with self.input(given) as f:
            r = subprocess.run(
                self.command(args, project),
                env={**self.learning(), **(extra or {})}, stdin=f,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                timeout=SECONDS, cwd="/", text=True, errors="replace")
        if settle and self.is_faultless():
            self.settle()
        if check and r.returncode != 0:
            raise RuntimeError("%s: %d: %s" % (args, r.returncode, r.stderr))
        return Run(r.returncode, r.stdout, r.stderr, None, True, None)

    def run(self, scenario, fault=None, stacks=True):
        if isinstance(fault, faults.Fault) and scenario.steps is None:
            return self.attempt(scenario, fault)
        args = []
        env = self.env_of(scenario)
        if fault is faults.LIST:
            args = ["/usr/bin/strace", "-qq", "-n", "-o", self.log,
                    "-e", "signal=none"]
            if stacks:
                args = ["/usr/bin/env", "LD_PRELOAD=" + self.base.names,
                        *args, "-E", "LD_PRELOAD", "-k"]
                # Looking at each call's stack takes its time.
                env["DRYDOCK_ENGINE_TIMEOUT"] = \
                    env["DRYDOCK_LAUNCH_TIMEOUT"] = "%ds" % (SECONDS / 2)
        elif fault is not None:
            args = [self.base.inject, self.hit] + fault.inject()
        args += self.command(scenario.args)
        status, out, err = self.drive(scenario, args, env)
        self.settle()
        calls = None
        hit = True
        if fault is faults.LIST:
            calls = faults.read_calls(self.log)
        elif fault is not None:
            hit = os.path.exists(self.hit)
            if hit:
                os.unlink(self.hit)
        return Run(status, out, err, calls, hit, fault, None, self.look())

    def attempt(self, scenario, fault):
        """As drive(), by the worker."""
        status, hit, state, outcome = self.ask(
            "try " + " ".join(fault.inject())).split()
        return Run(int(status), None, None, None, hit == "1", fault,
                   outcome, state)

    def read_said(self, run):
        """What it printed, where only a sum of it was asked for."""
        if run.out is None:
            with open(self.root + ".out", errors="replace") as f:
                run.out = f.read()
            with open(self.root + ".err", errors="replace") as f:
                run.err = f.read()

    def look(self):
        return self.ask("look")

    def ask(self, line):
        self.worker.stdin.write(line + "\n")
        self.worker.stdin.flush()
        answer = self.worker.stdout.readline().strip()
        if not answer:
            raise RuntimeError("the worker ended at: " + line)
        return answer

    def tell_command(self, scenario):
        """What the worker is to try."""
        path = self.root + ".stdin"
        if os.path.lexists(path):
            os.unlink(path)
        if scenario.given:
            with open(path, "w") as f:
                f.write(scenario.given)
        else:
            os.symlink(os.devnull, path)
        for name, strings in (
                ("args", self.command(scenario.args)),
                ("env", ["%s=%s" % e for e in
                         self.env_of(scenario).items()])):
            with open("%s.%s" % (self.root, name), "w") as f:
                f.write("".join(s + "\0" for s in strings))

    def drive(self, scenario, args, env):
        if scenario.steps is not None:
            status, shown = terminal.drive(args, env, scenario.steps, SECONDS)
            # What was typed at a session may end it a moment later.
            if scenario.steps[0][0] in shown:
                self.lasting = False
            # Drydock's own words begin a line, whatever was reset before.
            return status, shown, re.sub(
                r"\x1b(\[[^@-~]*[@-~]|[()].|.)|\x0f", "", shown)
        with open(self.root + ".stdin") as given:
            p = subprocess.Popen(
                args, env=env, stdin=given, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, cwd="/", text=True,
                errors="replace", start_new_session=True)
        try:
            out, err = p.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.communicate()
            raise
        return p.returncode, out, err

    def input(self, text):
        if not text:
            return open(os.devnull)
        with open(self.root + ".given", "w") as f:
            f.write(text)
        return open(self.root + ".given")

    def is_faultless(self):
        return not os.path.exists(os.path.join(self.world, "script"))

    def settle(self):
        """Until calls of the stub that outlive drydock have ended."""
        path = os.path.join(self.world, "busy")
        self.ask_all_seen()
        if not os.path.exists(path):
            return
        with open(path) as f:
            deadline = time.time() + SECONDS
            while True:
                try:
                    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    if time.time() > deadline:
                        raise RuntimeError("a call of the stub hangs")
                    time.sleep(0.002)

    def end_hung(self):
        """Calls of the stub that hang though drydock gave them up."""
        names = {self.path("bin/docker"), self.path("bin/docker-compose")}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid) as f:
                    words = f.read().split("\0")
                if words[0] in names and os.readlink(
                        "/proc/%s/ns/pid" % pid) == os.readlink(
                            "/proc/self/ns/pid"):
                    os.kill(int(pid), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass

    # The seed of a scenario, and fresh copies of it.

    def clear(self):
        self.end_live()
        for d in (self.root, self.kept):
            remove_tree(d)

    def seed(self, scenario):
        self.pin()
        if not (scenario.images and self.common
                and self.ask("restore 2") == "restored"):
            self.seed_common(scenario)
        if scenario.settings:
            self.configure(scenario.settings)
            self.plain(["build"], check=True)
        scenario.prepare(self)
        self.forget_calls()
        remove_tree(self.kept)
        subprocess.run(["cp", "-a", self.root, self.kept], check=True)
        self.ask("keep 0")
        self.lasting = False
        if scenario.launches:
            self.plain(scenario.args, given=scenario.given)
        self.tell_command(scenario)

    def seed_common(self, scenario):
        """What all scenarios have that are live, or all that are not, but for
        one without images."""
        self.common = False
        self.clear()
        for d in ("bin", "home", "config/drydock", "state", "runtime",
                  "project", "other"):
            os.makedirs(self.path(d), mode=0o700)
        self.configure("")
        subprocess.run([self.base.world, "init", self.path("bin"),
                        self.base.holder, self.base.guard,
                        self.base.compose], check=True)
        self.start_engine()
        os.symlink(self.base.templates, self.path("bin/world.d/templates"))
        with open(self.path("bin/world.d/here"), "w") as f:
            f.write(self.root)
        with open(self.path("bin/world.d/images/base"), "w") as f:
            f.write('{"Id":"sha256:%s","Created":"2026-01-01T00:00:00Z",'
                    '"Config":{}}' % ("b" * 64))
        if scenario.images:
            self.plain(["build"], check=True)
        # Building has made the state directory; some begin without it.
        if scenario.live:
            self.start_live()
        else:
            self.forget_state(scenario.images)
        self.forget_calls()
        self.start_worker()
        self.ask("keep 2")
        self.common = scenario.images

    def configure(self, settings):
        with open(self.path("config/drydock/drydock.conf"), "w") as f:
            f.write("base_image = base\npass_env = PASSED\n"
                    "engine_timeout = %s\nlaunch_timeout = %s\n" % (
                        WAIT, WAIT) + settings.replace("@ROOT@", self.root))

    def forget_state(self, images):
        """Of what building made in it, at most the record of images stays."""
        record = os.path.join(self.state, "images.json")
        if images:
            os.rename(record, self.path("images.json"))
        shutil.rmtree(self.path("state"))
        os.mkdir(self.path("state"), 0o700)
        if images:
            os.mkdir(self.state, 0o700)
            os.rename(self.path("images.json"), record)

    def forget_calls(self):
        """Of the stub: what nobody will look at."""
        for name in os.listdir(self.world):
            if name.startswith(".gone."):
                shutil.rmtree(os.path.join(self.world, name))
        for name in os.listdir(os.path.join(self.world, "calls")):
            p = os.path.join(self.world, "calls", name)
            os.rmdir(p) if os.path.isdir(p) else os.unlink(p)

    def start_worker(self):
        if self.worker is None:
            self.worker = subprocess.Popen(
                [self.base.worker, self.root, CANARY], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def restore(self, scenario):
        """As it was seeded; and with what lasts, as long as it does."""
        if self.lasting and self.ask("restore 1") == "restored":
            return
        self.lasting = False
        answer = self.ask("restore 0")
        if answer != "restored":
            raise RuntimeError(answer)
        scenario.fresh(self)
        if scenario.lasts:
            self.ask("keep 1")
            self.lasting = True
            self.tell_command(scenario)

    def start_live(self):
        """A session of another project that nothing may touch."""
        self.client = subprocess.Popen(
            self.command(["shell", "@PROJECT@", "--", "/bin/sh", "-c",
                          "echo ready; read x"], "other"),
            env=self.learning(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd="/")
        if self.client.stdout.readline() != "ready\n":
            raise RuntimeError("no live session: "
                               + self.client.communicate()[1])
        self.live = os.listdir(os.path.join(self.state, "sessions"))[0]
        for c in self.containers():
            open(os.path.join(self.world, "containers", c, "live"), "w")
        self.live_containers = self.containers()
        self.live_pids = [self.pid(c) for c in self.live_containers]

    def end_live(self):
        if self.client is None:
            return
        self.client.kill()
        self.client.communicate()
        for pid in self.live_pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.client = self.live = None

    def containers(self):
        return sorted(c for c in os.listdir(
            os.path.join(self.world, "containers")) if len(c) == 64)

    def pid(self, container):
        """Of its init while it runs; 0."""
        try:
            with open(os.path.join(
                    self.world, "containers", container, "state")) as f:
                words = f.read().split()
        except FileNotFoundError:
            return 0
        if words[:1] != ["running"]:
            return 0
        pid = int(words[1])
        try:
            with open("/proc/%d/stat" % pid) as f:
                return 0 if f.read().split(") ")[1][0] in "ZX" else pid
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def end_others(self, sig=signal.SIGKILL):
        """What time would do: a holder that is given no command ends."""
        if not os.path.exists(self.world):
            return
        names = [c for c in self.containers()
                 if self.live is None or c not in self.live_containers]
        deadline = time.time() + 20
        while True:
            pids = [p for p in map(self.pid, names) if p]
            if not pids:
                return
            if time.time() > deadline:
                raise RuntimeError("a container does not end")
            # Again and again: an init that just began takes no signal yet.
            for p in pids:
                try:
                    os.kill(p, sig)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)

    def remove(self):
        self.end_others()
        self.clear()
        if self.worker is not None:
            self.worker.stdin.close()
            self.worker.wait()
        if self.engine is not None:
            self.engine.stdin.close()
            self.engine.wait()
