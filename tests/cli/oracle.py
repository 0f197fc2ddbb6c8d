# SPDX-License-Identifier: MIT
"""Random merges of permitted and forbidden fragments, judged twice.

oracle.py merges SEED COUNT: model and facts of each, one a line, for policy.jq.
oracle.py verdicts SEED COUNT: what a naive reader says of each, "allowed" or
"refused", one a line.  The same seed makes the same merges; one that came
before is not printed again.
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


BASE = {mode: read_model(mode) for mode in ("contained", "dood")}


def facts(mode, model):
    """What drydock finds where nothing is wrong with the directories."""
    base = BASE[mode]
    agent = base["services"]["agent"]
    target = {v["target"]: v["source"] for v in agent["volumes"]}
    roles = {"home": target[TMP + "/home"], "run": target["/run/drydock"],
             "project": agent["working_dir"],
             "history": target["/var/lib/drydock/history"]}
    images = {"agent": agent["image"]}
    if mode == "contained":
        egress = base["services"]["egress"]
        target = {v["target"]: v["source"] for v in egress["volumes"]}
        roles.update(egress=target["/run/egress"],
                     proxy=target["/etc/drydock-egress"],
                     proxylog=target["/var/log/squid"])
        images["egress"] = egress["image"]
    else:
        roles["engine"] = target["/run/docker.sock"]
    sources = {}
    for path in set(roles.values()) | set(LISTED):
        sources[path] = {
            "exists": True, "real": path, "uid": 1000, "gid": 1000,
            "kind": "socket" if path == roles.get("engine") else "directory",
            "others_write": False, "dev": "1", "ino": "2", "touches": []}
    seccomp = [o for o in agent["security_opt"] if o.startswith("seccomp")][0]
    digest = re.search(r'"([0-9a-f]{64})" as \$digest', open(
        HERE + "/../../compose/policy.jq").read()).group(1)
    return {
        "mode": mode, "session": "abcdefgh", "home": TMP + "/home",
        "state": agent["labels"]["io.drydock.state"],
        "users": {"agent": "1000:1000", "egress": "1000:1000"},
        "images": images, "engine": {"gid": 999},
        "limits": {"memory": "1073741824", "pids": "256", "tmp": "67108864",
                   "cpus": 1.5},
        "binds": [{"path": p, "read_only": ro} for p, ro in LISTED.items()],
        "overlays": [], "sources": sources,
        "sockets": {"allowed": False, "listened_at": []},
        "reserved_env": ["LD_*", "DRYDOCK*", "*PROXY", "PATH", "HOME"],
        "seccomp": {"path": seccomp.split("=", 1)[1], "digest": digest},
        "roles": {r: {"path": p, "dev": "1", "ino": "2"}
                  for r, p in roles.items()}}


def bind(source, where, **more):
    return dict({"type": "bind", "source": source, "target": where,
                 "bind": {}}, **more)


BINDS = [
    bind("/srv/data", "/data"), bind("/srv/data", "/mnt/a", read_only=True),
    bind("/srv/ref", "/ref", read_only=True), bind("/srv/ref", "/ref"),
    bind("/srv/data", "/run/drydock"), bind("/srv/data", "/etc/x"),
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
        kinds = rng.choice([range(11), range(11), (2, 3, 6)])
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


def naive_service(name, is_, want):
    if not isinstance(is_, dict):
        return False
    user = name == "agent"
    for key in set(is_) | set(want):
        if key == "volumes":
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


def main(what, seed, count):
    seen = set()
    known = {mode: json.dumps(facts(mode, None)) for mode in BASE}
    for mode, model in merges(int(seed), int(count)):
        text = json.dumps(model)
        if (mode, text) in seen:
            continue
        seen.add((mode, text))
        if what == "merges":
            print('{"model": %s, "facts": %s}' % (text, known[mode]))
        else:
            print(verdict(mode, model))


main(*sys.argv[1:])
