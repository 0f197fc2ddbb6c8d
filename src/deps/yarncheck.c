/* SPDX-License-Identifier: MIT */
/* Compares "patch:" in package.json, patch files and yarn.lock. */
#include "deps/otherpatches.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchcheck.h"
#include "deps/patchledger.h"
#include "deps/yarnlock.h"
#include "deps/yarnpatch.h"

#define NAME "yarn"
#define LOCK "yarn.lock"
#define MANIFEST "package.json"
#define PATCHES ".yarn/patches"
#define MAX_MANIFEST ((size_t)4 * 1024 * 1024)
#define MAX_WORKSPACES 1000
#define MAX_NESTING 4
#define MAX_MANIFESTS ((size_t)64 * 1024 * 1024) /* bytes of all */
#define MAX_KEYS ((size_t)64 * 1024 * 1024) /* bytes of all in the lock */

/* A patch that a manifest has. */
struct declared {
	char *key; /* owned; as key_of() */
	struct yarnspec spec; /* owned */
	char *dir; /* owned; of the manifest */
};

/* A patch of the lock, once for each thing that manifests may say. */
struct locked {
	char *key; /* owned; NULL: of no workspace */
	const struct yarnlock_patch *patch; /* borrowed */
};

struct run {
	int project_fd; /* borrowed */
	struct patchcheck *check; /* borrowed */
	struct declared *v; /* owned */
	size_t nr;
	struct yarnlock lock;
	/* owned; what manifests may say, in the order of the lock */
	struct locked *locked;
	size_t nlocked;
	size_t left; /* bytes of patch files that may be read */
	size_t left_manifests;
	bool has_lock;
	struct strvec files; /* patch files that a manifest has */
};

/* Returned: the path below the project of a patch file of a spec. */
static char *
path_of(const char *dir, const char *path)
{
	path = yarnspec_path(path);
	/* "~/" is the project. */
	return strncmp(path, "~/", 2) == 0 ? otherpatches_path("", path + 2)
					   : otherpatches_path(dir, path);
}

/*
 * Returned: what two specs of the same patch have in common.  yarn writes
 * "NAME@npm:RANGE" into the lock where a manifest may have "NAME@RANGE".
 */
static char *
key_of(const struct yarnspec *spec, const char *dir)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	const char *source = spec->source;
	const char *range = yarnspec_range(source);

	if (range != NULL && strncmp(range, "npm:", 4) == 0)
		strbuf_addf(
		    &key, "%.*s%s", (int)(range - source), source, range + 4);
	else
		strbuf_addstr(&key, source);
	for (size_t i = 0; i < spec->paths.nr; i++) {
		cleanup_free char *path = path_of(dir, spec->paths.v[i]);

		strbuf_addf(&key, "\n%s",
		    yarnspec_is_builtin(spec->paths.v[i])
			? yarnspec_path(spec->paths.v[i])
			: path);
	}
	return strbuf_detach(&key, NULL);
}

/* The directory that relative paths of the lock's spec are below, or NULL. */
static const char *
dir_of(const struct yarnspec *spec)
{
	return spec->locator == NULL ? "" : yarnspec_workspace(spec->locator);
}

static const struct declared *
find_declared(const struct run *r, const char *key)
{
	for (size_t i = 0; i < r->nr; i++)
		if (strcmp(r->v[i].key, key) == 0)
			return &r->v[i];
	return NULL;
}

/* Adds a patch, and the patch that it is on top of. */
static int
add_declared(struct run *r, const char *text, const char *dir, int nesting,
    const char *file, struct diag *dg)
{
	cleanup_yarnspec struct yarnspec spec = YARNSPEC_INIT;
	cleanup_free char *key = NULL;

	if (!yarnspec_parse(text, &spec))
		return diag_set(
		    dg, DIAG_DATA, "%s: %s: a malformed patch", file, text);
	if (nesting < MAX_NESTING && strstr(spec.source, "@patch:") != NULL &&
	    add_declared(r, spec.source, dir, nesting + 1, file, dg) != 0)
		return -1;
	key = key_of(&spec, dir);
	if (yarnspec_is_only_builtin(&spec) || find_declared(r, key) != NULL)
		return 0;
	if (r->nr == YARNLOCK_MAX_PATCHES)
		return diag_set(dg, DIAG_DATA, "%s: more than %d patches", file,
		    YARNLOCK_MAX_PATCHES);
	for (size_t i = 0; i < spec.paths.nr; i++)
		if (!yarnspec_is_builtin(spec.paths.v[i]))
			strvec_push_given(
			    &r->files, path_of(dir, spec.paths.v[i]));
	r->v = xreallocarray(r->v, r->nr + 1, sizeof(*r->v));
	r->v[r->nr++] =
	    (struct declared){ steal_ptr(&key), spec, xstrdup(dir) };
	spec = (struct yarnspec)YARNSPEC_INIT;
	return 0;
}

/* The package that a pattern of "resolutions" is for: "a/@s/b@1" is @s/b. */
static char *
target_of(const char *pattern)
{
	const char *end = pattern + strlen(pattern);
	const char *start = pattern;
	const char *slash;

	for (const char *p = pattern; *p != '\0'; p++) {
		/* A range may have slashes. */
		if (*p == '@' && p != start) {
			end = p;
			break;
		}
		slash = *p == '/' ? p : NULL;
		if (slash != NULL && *start != '@')
			start = slash + 1;
		else if (slash != NULL && strchr(slash + 1, '/') != NULL &&
		    memchr(start, '/', (size_t)(slash - start)) != NULL)
			start = slash + 1;
	}
	return xstrndup(start, (size_t)(end - start));
}

static int
take_section(struct run *r, const struct json *root, const char *section,
    const char *dir, const char *file, struct diag *dg)
{
	const struct json *members = json_get(root, section);
	bool patterns = strcmp(section, "resolutions") == 0;

	for (size_t i = 0; i < json_len(members); i++) {
		const char *key = json_key_at(members, i);
		const char *range = json_string(json_value_at(members, i));
		cleanup_free char *name = NULL;
		cleanup_free char *text = NULL;

		if (key == NULL || range == NULL ||
		    strncmp(range, "patch:", 6) != 0)
			continue;
		name = patterns ? target_of(key) : xstrdup(key);
		text = xasprintf("%s@%s", name, range);
		if (add_declared(r, text, dir, 0, file, dg) != 0)
			return -1;
	}
	return 0;
}

static int
take_manifest(struct run *r, const struct strbuf *text, const char *dir,
    const char *file, struct diag *dg)
{
	static const char *const sections[] = { "dependencies",
		"devDependencies", "optionalDependencies", "resolutions" };
	cleanup_json struct json *root = NULL;
	bool whole = *dir == '\0';

	if (json_parse(text->buf, text->len, file, &root, dg) != 0)
		return -1;
	/* yarn takes resolutions from the project's manifest alone. */
	for (size_t i = 0; i < ARRAY_SIZE(sections) - !whole; i++)
		if (take_section(r, root, sections[i], dir, file, dg) != 0)
			return -1;
	return 0;
}

static int
read_manifest(struct run *r, const char *dir, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *file = otherpatches_path(dir, MANIFEST);
	bool there;

	if (r->left_manifests < MAX_MANIFEST)
		return diag_set(dg, DIAG_DATA,
		    LOCK ": the " MANIFEST
			 " files of the workspaces are too large");
	if (fs_read_present(
		r->project_fd, file, MAX_MANIFEST, &text, &there, dg) != 0)
		return -1;
	r->left_manifests -= text.len;
	return there ? take_manifest(r, &text, dir, file, dg) : 0;
}

static int
read_workspaces(struct run *r, struct diag *dg)
{
	for (size_t i = 0; i < r->lock.workspaces.nr; i++) {
		cleanup_free char *dir =
		    otherpatches_path("", r->lock.workspaces.v[i]);

		if (*dir == '\0')
			continue;
		if (i == MAX_WORKSPACES) {
			patchcheck_note(r->check, LOCK,
			    "has more than %d workspaces: the others are not "
			    "searched for patches",
			    MAX_WORKSPACES);
			return 0;
		}
		if (read_manifest(r, dir, dg) != 0)
			return -1;
	}
	return 0;
}

static int
read_all(struct run *r, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_present(r->project_fd, LOCK, YARNLOCK_MAX_SIZE, &text,
		&r->has_lock, dg) != 0)
		return -1;
	/* A package.json that is no JSON is not yarn's to judge. */
	if (!r->has_lock) {
		(void)read_manifest(r, "", &ignored);
		return 0;
	}
	if (yarnlock_parse(&r->lock, text.buf, text.len, LOCK, dg) != 0 ||
	    read_manifest(r, "", dg) != 0)
		return -1;
	return read_workspaces(r, dg);
}

/* Returned: the version that a patch is of, or NULL.  locked may be NULL. */
static char *
version_of(const struct yarnspec *spec, const struct yarnspec *locked)
{
	const char *range = yarnspec_range(spec->source);

	if (locked != NULL && locked->version != NULL)
		return xstrdup(locked->version);
	if (range == NULL || strncmp(range, "patch:", 6) == 0)
		return NULL;
	return xstrdup(strncmp(range, "npm:", 4) == 0 ? range + 4 : range);
}

/* A directory is in the key once for each path. */
static int
list_locked(struct run *r, struct diag *dg)
{
	size_t bytes = 0;

	for (size_t i = 0; i < r->lock.nr; i++) {
		const struct yarnlock_patch *p = &r->lock.v[i];

		r->locked = xreallocarray(
		    r->locked, r->nlocked + p->nwanted, sizeof(*r->locked));
		for (size_t k = 0; k < p->nwanted; k++) {
			const char *dir = dir_of(&p->wanted[k]);
			char *key =
			    dir == NULL ? NULL : key_of(&p->wanted[k], dir);

			r->locked[r->nlocked++] = (struct locked){ key, p };
			bytes += key == NULL ? 0 : strlen(key);
			if (bytes > MAX_KEYS)
				return diag_set(dg, DIAG_DATA,
				    LOCK ": the paths of patches are too long");
		}
	}
	return 0;
}

static const struct yarnspec *
find_locked(const struct run *r, const char *key)
{
	for (size_t i = 0; i < r->nlocked; i++)
		if (r->locked[i].key != NULL &&
		    strcmp(r->locked[i].key, key) == 0)
			return &r->locked[i].patch->resolved;
	return NULL;
}

/* A declared patch that is being checked. */
struct patch {
	struct run *r;
	const struct declared *d;
	struct patchledger_entry e; /* its name and version */
	const struct yarnspec *locked; /* or NULL */
	struct strbuf texts[YARNSPEC_MAX_PATHS];
	struct yarnpatch_file files[YARNSPEC_MAX_PATHS];
	size_t nr; /* files that could be read */
	char *path; /* owned; of the first file */
};

static void
read_file(struct patch *p, const char *spec)
{
	struct run *r = p->r;
	cleanup_free char *path = path_of(p->d->dir, spec);
	struct strbuf *text = &p->texts[p->nr];

	if (p->path == NULL)
		p->path = xstrdup(path);
	strbuf_init(text);
	if (otherpatches_read_patch(
		r->project_fd, path, NAME, &p->e, &r->left, text, r->check))
		p->files[p->nr++] = (struct yarnpatch_file){ text,
			strncmp(spec, "optional!", 9) == 0 };
	else
		strbuf_release(text);
}

static void
compare_hash(const struct patch *p)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	bool same;

	if (yarnpatch_compare(p->files, p->nr, p->locked->hash, &same, &dg) ==
	    0) {
		if (!same)
			patchcheck_add(p->r->check, PATCHCHECK_PATCH_CHANGED,
			    NAME, &p->e, p->path,
			    "not the patch that " LOCK " has");
	} else if (dg.class == DIAG_CONFIG) {
		patchcheck_note(p->r->check, p->path,
		    "cannot be compared with " LOCK ": %s", dg.message);
	} else {
		patchcheck_add(p->r->check, PATCHCHECK_PATCH_CHANGED, NAME,
		    &p->e, p->path, "yarn cannot read it: %s", dg.message);
	}
}

static void
check_lock(const struct patch *p)
{
	const struct yarnspec *spec = &p->d->spec;
	cleanup_free char *file = otherpatches_path(p->d->dir, MANIFEST);
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;

	strbuf_add_escaped(&safe, spec->source, strlen(spec->source));
	strbuf_addstr(&safe, " that ");
	strbuf_add_escaped(&safe, file, strlen(file));
	if (!p->r->has_lock)
		patchcheck_add(p->r->check, PATCHCHECK_LOCK_ORIGINAL, NAME,
		    &p->e, LOCK, "missing");
	else if (p->locked == NULL)
		patchcheck_add(p->r->check, PATCHCHECK_LOCK_ORIGINAL, NAME,
		    &p->e, LOCK, "does not have the patch of %s has", safe.buf);
	/* A patch of yarn's own among them is not in the project. */
	else if (p->nr == spec->paths.nr)
		compare_hash(p);
}

static void
check_declared(struct run *r, const struct declared *d)
{
	cleanup_free char *version = NULL;
	struct patch p = { .r = r, .d = d, .locked = find_locked(r, d->key) };

	version = version_of(&d->spec, p.locked);
	p.e = (struct patchledger_entry){ .name = d->spec.name,
		.version = version };
	for (size_t i = 0; i < d->spec.paths.nr; i++)
		if (!yarnspec_is_builtin(d->spec.paths.v[i]))
			read_file(&p, d->spec.paths.v[i]);
	patchcheck_add_other(r->check, NAME, p.e.name, p.e.version, p.path);
	check_lock(&p);
	for (size_t i = 0; i < p.nr; i++)
		strbuf_release(&p.texts[i]);
	free(p.path);
}

/* A package of the registry may bring its own: that has no key. */
static bool
is_declared(const struct run *r, const struct yarnlock_patch *patch)
{
	for (size_t i = 0; i < r->nlocked; i++)
		if (r->locked[i].patch == patch &&
		    (r->locked[i].key == NULL ||
			find_declared(r, r->locked[i].key) != NULL))
			return true;
	return false;
}

static void
check_orphan(struct run *r, const struct yarnlock_patch *locked)
{
	cleanup_free char *version = NULL;
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;
	struct patchledger_entry e;

	if (is_declared(r, locked))
		return;
	version = version_of(&locked->resolved, &locked->resolved);
	e = (struct patchledger_entry){ .name = locked->resolved.name,
		.version = version };
	strbuf_add_escaped(
	    &safe, locked->resolved.source, strlen(locked->resolved.source));
	patchcheck_add(r->check, PATCHCHECK_LOCK_ORPHAN, NAME, &e, LOCK,
	    "has a patch of %s, which no " MANIFEST " has", safe.buf);
}

static void
compare(struct run *r)
{
	if (r->lock.classic) {
		patchcheck_note(r->check, LOCK,
		    "is yarn 1's, which has no patches of its own; those of "
		    "patch-package are not judged");
		return;
	}
	for (size_t i = 0; i < r->nr; i++)
		check_declared(r, &r->v[i]);
	for (size_t i = 0; i < r->lock.nr; i++)
		check_orphan(r, &r->lock.v[i]);
	if (r->has_lock || r->nr > 0)
		otherpatches_note_unused(
		    r->project_fd, PATCHES, &r->files, r->check);
}

static int
check_project(int project_fd, struct patchcheck *check, struct diag *dg)
{
	struct run r = { .project_fd = project_fd,
		.check = check,
		.lock = YARNLOCK_INIT,
		.left = OTHERPATCHES_MAX_BYTES,
		.left_manifests = MAX_MANIFESTS,
		.files = STRVEC_INIT };
	int rc = read_all(&r, dg);

	if (rc == 0)
		rc = list_locked(&r, dg);
	if (rc == 0)
		compare(&r);
	for (size_t i = 0; i < r.nr; i++) {
		free(r.v[i].key);
		free(r.v[i].dir);
		yarnspec_release(&r.v[i].spec);
	}
	free(r.v);
	for (size_t i = 0; i < r.nlocked; i++)
		free(r.locked[i].key);
	free(r.locked);
	strvec_release(&r.files);
	yarnlock_release(&r.lock);
	return rc;
}

/*
 * "yarn patch-commit -s" writes patches as "patch:" into dependencies of
 * package.json, of the project or of a workspace, or into "resolutions" of the
 * project's.
 */
const struct otherpatches yarncheck = {
	.ecosystem = NAME,
	.lock = LOCK,
	.start = "yarn patch NAME",
	.save = "yarn patch-commit -s DIR",
	.apply = "yarn install",
	/* yarn has no command that removes a patch. */
	.remove = "yarn install",
	.before_remove = "take its \"patch:\" out of package.json, then ",
	.check = check_project,
};
