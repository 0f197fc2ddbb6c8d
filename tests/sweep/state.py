# SPDX-License-Identifier: MIT
"""Whether two runs left the same: then the next command need not be tried
again.  What differs by chance (ids, times, a worker's own path) is taken out."""
import hashlib
import os
import re
import stat

# Of the world: what drydock can see, or change.
WORLD = ("images", "tags", "passed", "id", "complaints")
CONTAINER = ("labels", "role", "live", "stray")
MOST = 1 << 18


def plain(text, bed, ids):
    text = text.replace(bed.root, "ROOT")
    for i in ids:
        text = text.replace(i, "SESSION")
    text = re.sub(r"\b[0-9a-f]{32,64}\b", "HEX", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r'(drydock-|io.drydock.session": ?")[a-z0-9]{8}', r"\1ID",
                  text)
    return re.sub(r"history/[0-9a-f]+-", "history/", text)


def entry(path, name, bed, ids):
    st = os.lstat(path)
    name = plain(name, bed, ids)
    name = re.sub(r"(/\.[^/]+)\.[a-z0-9]{8,12}$", r"\1.TEMPORARY", name)
    what = ""
    if stat.S_ISLNK(st.st_mode):
        what = plain(os.readlink(path), bed, ids)
    elif stat.S_ISREG(st.st_mode) and st.st_size <= MOST:
        with open(path, "rb") as f:
            what = plain(f.read().decode("latin1"), bed, ids)
        if "manifest" in name:  # inodes and times
            what = re.sub(r"\d+", "N", what)
    return "%s %o %s" % (name, st.st_mode, what)


def container(bed, name, ids):
    top = os.path.join(bed.world, "containers", name)
    found = ["alive" if bed.pid(name) else "dead"]
    for part in CONTAINER:
        path = os.path.join(top, part)
        if os.path.exists(path):
            found.append(entry(path, part, bed, ids))
    try:
        with open(os.path.join(top, "state")) as f:
            words = f.read().split()
        found.append(" ".join(words[:1 if words[0] == "running" else 2]))
    except FileNotFoundError:
        pass
    return "container %s" % found


def digest(bed):
    ids = set()
    for d in ("sessions", "trash"):
        try:
            ids |= set(os.listdir(os.path.join(bed.state, d)))
        except FileNotFoundError:
            pass
    lines = [container(bed, c, ids) for c in bed.containers()]
    tops = [bed.path(d) for d in ("state", "config", "home", "runtime",
                                  "project")]
    tops += [os.path.join(bed.world, name) for name in WORLD]
    for top in tops:
        for d, dirs, names in os.walk(top):
            for name in names + dirs:
                path = os.path.join(d, name)
                lines.append(entry(path, path, bed, ids))
        if os.path.isfile(top):
            lines.append(entry(top, top, bed, ids))
    text = "\n".join(sorted(lines))
    return hashlib.sha256(text.encode()).hexdigest()
