# SPDX-License-Identifier: MIT
"""Random merges of permitted and forbidden fragments, judged twice.

oracle.py merges SEED COUNT: the policy's input for each, one a line.
oracle.py verdicts SEED COUNT: what a naive reader says of each, "allowed" or
"refused", one a line.  The same seed makes the same merges; one that came
before is not printed again.
oracle.py bases: what the merges start from, by the session's name.
"""
import copy
import json
import os
import random
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TMP = "/tmp/bed"
LISTED = {"/srv/data": False, "/srv/ref": True}
KEYS = [line.split()[1] for line in open(HERE + "/../data/compose-keys")
        if line.startswith("service ")]


def read_model(mode):
    with open("%s/../unit/model-%s.json" % (HERE, mode)) as f:
        text = f.read()
    for token, value in ("@TMP@", TMP), ("@USER@", "1000:1000"), \
            ("@PROXY@", "1000:1000"), ("$$", "$"):
        text = text.replace(token, value)
    return json.loads(text)


def with_extra(model):
    """The same with a service "db" of the user's."""
    model = copy.deepcopy(model)
    agent = model["services"]["agent"]
    db = {k: v for k, v in copy.deepcopy(agent).items() if k not in
          ("working_dir", "stop_grace_period")}
    shared = {"type": "bind", "source": TMP + "/state/s/services",
              "target": "/run/services", "bind": {}}
    db.update(image="sha256:" + "d" * 64, entrypoint=["/db"], command=["--x"],
              environment={"A": "b"}, volumes=[shared],
              stop_grace_period="10s",
              tmpfs=[t.replace(",exec", ",noexec") for t in db["tmpfs"]
                     if t.startswith("/tmp:")])
    db["labels"]["io.drydock.role"] = "db"
    agent["volumes"].append(dict(shared))
    model["services"]["db"] = db
    return model


BASE = {mode: read_model(mode) for mode in ("contained", "dood")}
BASE["extra"] = with_extra(BASE["contained"])


def facts(mode):
    """What drydock finds where nothing is wrong with the directories."""
    base = BASE[mode]
    agent = base["services"]["agent"]
    target = {v["target"]: v["source"] for v in agent["volumes"]}
    roles = {"home": target[TMP + "/home"], "run": target["/run/drydock"],
             "project": agent["working_dir"],
             "history": target["/var/lib/drydock/history"]}
    if mode == "extra":
        roles["services"] = target["/run/services"]
    if mode != "dood":
        egress = base["services"]["egress"]
        target = {v["target"]: v["source"] for v in egress["volumes"]}
        roles.update(egress=target["/run/egress"],
                     proxy=target["/etc/drydock-egress"],
                     proxylog=target["/var/log/drydock"])
    else:
        roles["engine"] = target["/run/docker.sock"]
    extra = {} if mode != "extra" else {"db": {
        "reference": "my/db", "image": "sha256:" + "d" * 64, "volumes": [],
        "healthcheck": False, "onbuild": False, "labels": []}}
    sources = {}
    for path in set(roles.values()) | set(LISTED):
        sources[path] = {
            "exists": True, "real": path, "owner": "1000:1000",
            "kind": "socket" if path == roles.get("engine") else "directory",
            "others_write": False, "dev": "1", "ino": "2", "touches": []}
    seccomp = [o for o in agent["security_opt"] if o.startswith("seccomp")][0]
    known = dict(re.findall(r'"([a-z.]+)": "([0-9a-f]{64})"', open(
        HERE + "/../../compose/policy.jq").read()))
    files = ["base.yml", "dood.yml" if mode == "dood" else "contained.yml",
             "hardening.yml", "seccomp.json"]
    files += ["service.yml"] if mode == "extra" else []
    made = {"made": True, "others_write": False}
    known_roles = {r: dict({} if r in ("project", "engine") else made, real=p,
                           kind="socket" if r == "engine" else "directory")
                   for r, p in roles.items()}
    known_roles["project"].update(dev="1", ino="2")
    if "proxy" in roles:
        known_roles["proxy"]["read_only"] = True
    for role, path in roles.items():
        sources[path]["role"] = role
    services = {name: {k: s[k] for k in ("image", "user", "labels")}
                for name, s in base["services"].items()}
    services["agent"]["working_dir"] = agent["working_dir"]
    return {
        "mode": "dood" if mode == "dood" else "contained", "extra": extra,
        "session": "abcdefgh", "home": TMP + "/home",
        "project": agent["working_dir"], "services": services,
        "groups": ["999"] if mode == "dood" else [],
        "limits": {"mem_limit": 1073741824, "memswap_limit": 1073741824,
                   "pids_limit": 256, "cpus": 1.5}, "tmpfs": {
            "/tmp": 67108864, "/dev/shm": 67108864},
        "binds": [{"path": p, "read_only": ro} for p, ro in LISTED.items()],
        "files": {name: known[name] for name in files},
        "sources": sources, "roles": known_roles, "carried": {},
        "sockets": {"allowed": False, "listened_at": []},
        "reserved_env": ["LD_*", "DRYDOCK*", "*PROXY", "PATH", "HOME"],
        "seccomp": seccomp.split("=", 1)[1]}


def bind(source, where, **more):
    return dict({"type": "bind", "source": source, "target": where,
                 "bind": {}}, **more)


BINDS = [
    bind("/srv/data", "/data"), bind("/srv/data", "/mnt/a", read_only=True),
    bind("/srv/ref", "/ref", read_only=True), bind("/srv/ref", "/ref"),
    bind("/srv/data", "/run/drydock"), bind("/srv/data", "/etc/x"),
    bind("/srv/data", "/run/media/u/d"), bind("/srv/data", "/run/media"),
    bind("/srv/data", "/"), bind("/srv/data", "/data/../etc"),
    bind("/srv/data", "/data/"), bind("/srv/other", "/data"),
    bind("/srv/data/x", "/data"), bind("/srv/data", "/tmp"),
    bind("/srv/data", "/usr/lib/drydock"), bind("/srv/data", TMP),
    bind("/srv/data", TMP + "/home/data"), bind("/", "/host"),
    bind("/srv/data", "/b", bind={"create_host_path": False}),
    bind("/srv/data", "/b", bind={"create_host_path": True}),
    bind("/srv/data", "/b", bind={"propagation": "rshared"}),
    bind("/srv/data", "/b", consistency="x"),
    {"type": "volume", "source": "v", "target": "/v"},
    {"type": "tmpfs", "target": "/t"}, "v:/v",
]
NAMES = ["EDITOR", "_x1", "LD_PRELOAD", "HTTPS_PROXY", "all_proxy", "PATH",
         "HOME", "DRYDOCK_X", "DRYDOCK", "1A", "A B", "A-B", "MY_PATH", "é"]
VALUES = [None, [], {}, "", "x", "host", "none", 0, 1, -1, True, False,
          ["x"], {"x": "y"}, {"x": None}, "1073741824", 1073741824, 256]


WORDS = [["/x", "-v"], [], ["/y"], "x", [1], None]
OWN_VALUES = {
    "entrypoint": WORDS, "command": WORDS,
    "working_dir": ["/", "/data", "data", "/a/../b", "/a/", None, 1],
    "tmpfs": [["/data:size=64m"], ["/data:size=64m,mode=0700", "/b:size=1k"],
              ["/data"], ["/data:size=64g"], ["/tmp:suid,size=1m"], None,
              ["/a:size=1", "/a:size=1"], ["/run:size=1m"], "/x:size=1m",
              ["/run/db:exec,size=1k"], ["/proc/x:size=1m"]]}
LIMITS = [0, 1, 0.5, 1.5, 2, 256, 257, 1024, "1024", "1073741824",
          "1073741825", -1, "-1", None, True, "1k"]


def mutate(rng, model, kinds):
    """One fragment, as an overlay would leave it in the merged model."""
    services = model["services"]
    name = rng.choice(sorted(services))
    service = services[name]
    kind = rng.choice(kinds)
    if kind == 0:
        service[rng.choice(KEYS)] = rng.choice(VALUES)
    elif kind == 1 and service:
        service.pop(rng.choice(sorted(service)))
    elif kind == 2 and isinstance(service.get("environment"), dict):
        name = rng.choice(NAMES + ["V%d" % rng.randrange(30)] * 12)
        service["environment"][name] = rng.choice(["x", "x", "x", None, 1, ""])
    elif kind in (3, 4, 5) and isinstance(service.get("volumes"), list):
        volume = copy.deepcopy(rng.choice(BINDS + [BINDS[0]] * 15))
        if volume == BINDS[0]:
            volume["target"] = "/data/%d" % rng.randrange(30)
        service["volumes"].append(volume)
    elif kind == 6 and service:
        key = rng.choice(sorted(service))
        if isinstance(service[key], list):
            rng.shuffle(service[key])
    elif kind == 7 and service:
        key = rng.choice(sorted(service))
        if isinstance(service[key], list) and service[key]:
            service[key].pop(rng.randrange(len(service[key])))
        elif isinstance(service[key], dict) and service[key]:
            service[key].pop(rng.choice(sorted(service[key])))
    elif kind == 11 and name == "db":
        key = rng.choice(OWN[:8])
        service[key] = rng.choice(OWN_VALUES.get(key, LIMITS))
    elif kind == 8:
        model[rng.choice(["x-a", "networks", "volumes", "secrets", "configs",
                          "x-drydock-home", "name", "include", "tomorrow"])
              ] = rng.choice(VALUES)
    elif kind == 9:
        services["db"] = copy.deepcopy(service)
    elif kind == 10 and isinstance(service.get("volumes"), list):
        if service["volumes"]:
            volume = rng.choice(service["volumes"])
            if isinstance(volume, dict):
                volume[rng.choice(["source", "target", "read_only", "type",
                                   "bind", "tomorrow"])] = rng.choice(
                    ["/", "/etc", True, False, "bind", {}, "/srv/data"])


def merges(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        mode = rng.choice(sorted(BASE))
        model = copy.deepcopy(BASE[mode])
        # A third has little but what a user may add.
        kinds = rng.choice([range(12), range(12), (2, 3, 6, 11)])
        for _ in range(rng.randrange(4)):
            mutate(rng, model, kinds)
        yield mode, model


def within(a, b):
    return b == "/" or a == b or a.startswith(b + "/")


def naive_bind(volume, own):
    if not isinstance(volume, dict) or volume.get("type") != "bind":
        return False
    if not set(volume) <= {"type", "source", "target", "read_only", "bind"}:
        return False
    if volume.get("bind") not in ({}, {"create_host_path": False}) or \
            volume["bind"].get("create_host_path", False) is not False:
        return False
    source, where = volume.get("source"), volume.get("target")
    if not isinstance(source, str) or source not in LISTED:
        return False
    if not isinstance(where, str) or os.path.normpath(where) != where or \
            not where.startswith("/") or where.startswith("//"):
        return False
    read_only = volume.get("read_only", False)
    if read_only not in (True, False, None) or isinstance(read_only, int) and \
            not isinstance(read_only, bool):
        return False
    if LISTED[source] and read_only is not True:
        return False
    for guarded in ("/bin /boot /dev /etc /lib /lib64 /proc /run /sbin /sys "
                    "/usr/bin /usr/lib /usr/sbin /var/lib/drydock "
                    "/var/run").split():
        if guarded == "/run" and where.startswith("/run/media/"):
            continue  # disks of the user's
        if within(where, guarded) or within(guarded, where):
            return False
    return not any(within(t, where) for t in own + ["/tmp"])


def naive_volumes(volumes, want, user_may_add):
    if not isinstance(volumes, list):
        return False
    targets = [v.get("target") for v in volumes if isinstance(v, dict)]
    own = [w["target"] for w in want]
    for volume in volumes:
        if not isinstance(volume, dict):
            return False
        if targets.count(volume.get("target")) != 1:
            return False
        if volume.get("target") in own:
            expected = dict(want[own.index(volume["target"])], bind={})
            is_ = dict(volume, bind={} if volume.get("bind") ==
                       {"create_host_path": False} else volume.get("bind"))
            for v in expected, is_:
                if v.get("read_only") in (False, None):
                    v.pop("read_only", None)
            if is_ != expected or is_.get("read_only", True) is not True:
                return False
        elif not user_may_add or not naive_bind(volume, own):
            return False
    return all(t in targets for t in own)


def naive_environment(is_, want, user_may_add):
    if is_ is None:
        is_ = {}
    if not isinstance(is_, dict):
        return False
    for name, value in is_.items():
        if name in want:
            if value != want[name]:
                return False
        elif not user_may_add or not isinstance(value, str) or \
                not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) or \
                re.fullmatch("(?i)(ld_.*|drydock.*|.*proxy|path|home)", name):
            return False
    return set(want) <= set(is_)


def same(key, is_, want):
    if key in ("mem_limit", "memswap_limit", "pids_limit"):
        return not isinstance(is_, bool) and isinstance(is_, (str, int)) and \
            str(is_) == str(want)
    if key in ("cap_drop", "group_add", "tmpfs", "security_opt"):
        return isinstance(is_, list) and \
            sorted(map(repr, is_)) == sorted(map(repr, want))
    if isinstance(is_, bool) != isinstance(want, bool):
        return False
    return is_ == want


def empty(value):
    return value is None or value == [] or value == {}


def words(is_):
    return empty(is_) or isinstance(is_, list) and \
        all(isinstance(w, str) for w in is_)


def naive_path(is_):
    return isinstance(is_, str) and is_.startswith("/") and \
        not is_.startswith("//") and os.path.normpath(is_) == is_


def naive_tmpfs(tmpfs):
    if not words(tmpfs):
        return False
    targets = [t.split(":")[0] for t in tmpfs or ()]
    for entry, where in zip(tmpfs or (), targets):
        options = entry.split(":")[1:] and entry.split(":", 1)[1].split(",")
        sizes = [o for o in options if o.startswith("size=")]
        if len(sizes) != 1 or not naive_path(where) or \
                targets.count(where) > 1:
            return False
        size = re.fullmatch("size=([0-9]+)([kmg]?)", sizes[0])
        if not size or not 0 < int(size.group(1)) << " kmg".index(
                size.group(2) or " ") * 10 <= 67108864:
            return False
        if not all(o in ("rw", "noexec", "exec", "nosuid", "nodev") or o in
                   sizes or re.fullmatch("(mode|uid|gid)=[0-9]+", o)
                   for o in options):
            return False
        for place in "/proc", "/sys", "/dev", "/run/services":
            if within(where, place) or within(place, where):
                return False
    return True


def naive_limit(is_, least, most):
    if isinstance(is_, str) and re.fullmatch("[0-9]{1,15}", is_):
        is_ = int(is_)
    return isinstance(is_, (int, float)) and not isinstance(is_, bool) and \
        least <= is_ <= most and is_ > 0


def naive_own(key, is_, service):
    """What a service of the user's chooses by itself."""
    if key in ("entrypoint", "command"):
        return words(is_) and not (empty(service.get("entrypoint")) and
                                   empty(service.get("command")))
    if key == "working_dir":
        return empty(is_) or naive_path(is_)
    if key == "tmpfs":
        return naive_tmpfs(is_)
    if key == "mem_limit":
        return naive_limit(is_, 0, 1073741824)
    if key == "memswap_limit":
        memory = service.get("mem_limit")
        return not naive_limit(memory, 0, 1073741824) or \
            naive_limit(is_, float(memory), 1073741824)
    if key == "pids_limit":
        return naive_limit(is_, 0, 256)
    if key == "cpus":
        return naive_limit(is_, 0, 1.5)
    return empty(is_) or isinstance(is_, dict) and all(
        k and "=" not in k and isinstance(v, str) for k, v in is_.items())


OWN = ("entrypoint", "command", "working_dir", "tmpfs", "mem_limit",
       "memswap_limit", "pids_limit", "cpus", "environment")


def naive_service(name, is_, want):
    if not isinstance(is_, dict):
        return False
    user = name == "agent"
    for key in set(is_) | set(want):
        if name == "db" and key in OWN:
            ok = naive_own(key, is_.get(key), is_)
        elif key == "volumes":
            ok = naive_volumes(is_.get(key), want[key], user)
        elif key == "environment":
            ok = naive_environment(is_.get(key), want.get(key, {}), user)
        elif key not in want or empty(want[key]):
            ok = empty(is_.get(key))
        else:
            ok = same(key, is_.get(key), want[key])
        if not ok:
            return False
    return True


def verdict(mode, model):
    base = BASE[mode]
    if set(model["services"]) != set(base["services"]):
        return "refused"
    for key in set(model) | set(base):
        if key == "services":
            ok = all(naive_service(n, model[key][n], base[key][n])
                     for n in base[key])
        elif key not in base:
            ok = empty(model[key])
        else:
            ok = model.get(key) == base[key]
        if not ok:
            return "refused"
    return "allowed"


def case(mode, model):
    return json.dumps({"reference": BASE[mode], "model": model,
                       "facts": facts(mode)})


def main(what, seed=None, count=None):
    if what == "bases":
        print("{%s}" % ", ".join('"%s": %s' % (mode, case(mode, model))
                                 for mode, model in BASE.items()))
        return
    seen = set()
    for mode, model in merges(int(seed), int(count)):
        text = json.dumps(model)
        if (mode, text) in seen:
            continue
        seen.add((mode, text))
        if what == "merges":
            print(case(mode, model))
        else:
            print(verdict(mode, model))


main(*sys.argv[1:])
