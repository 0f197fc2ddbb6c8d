/* SPDX-License-Identifier: MIT */
/* Compares npm's files with the patches of a project. */
#include "deps/npmcheck.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/below.h"
#include "deps/npmlock.h"
#include "deps/npmmanifest.h"
#include "deps/npmrange.h"
#include "deps/npmredirect.h"
#include "deps/npmroot.h"
#include "deps/patchcheck.h"
#include "deps/patchledger.h"

#define MANIFEST "package.json"
#define LOCK "package-lock.json"
#define INSTALLED "node_modules/.package-lock.json"
#define NPM PATCHLEDGER_NPM
#define MAX_LOCKS 50 /* of projects below; each costs time */

struct run {
	int project_fd; /* borrowed */
	const struct patchledger *ledger; /* borrowed */
	struct patchcheck *check; /* borrowed */
	struct npmredirects want; /* of each entry */
	size_t before; /* findings of others */
	int nlocks; /* of projects below that were looked at */
};

/* Returned: a text of the project's, for a message. */
static char *
show(const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_add_escaped(&out, text, strnlen(text, 200));
	return strbuf_detach(&out, NULL);
}

/* Returns the path of a redirect's value. */
static const char *
path_of(const struct json *value)
{
	return json_string(value) + strlen("file:");
}

/* The finding names the file already. */
static void
add_conflict(struct run *r, const struct patchledger_entry *e, const char *path,
    const char *why)
{
	size_t len = strlen(path);

	if (strncmp(why, path, len) == 0)
		why += len + strspn(why + len, ": ");
	patchcheck_add(r->check, PATCHCHECK_CONFLICT, NPM, e, path, "%s", why);
}

static void
found_conflict(void *arg, const char *path, const char *why)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_add_escaped(&text, why, strlen(why));
	add_conflict(arg, NULL, path, text.buf);
}

/*
 * Reads a file whose redirects are judged.  *ret_is_read is false if it is
 * absent, and if the project has no patch of npm's and the file no redirect.
 */
static int
read_file(struct run *r, const char *path, size_t max, struct strbuf *text,
    bool *ret_is_read, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (r->ledger->nr > 0)
		return fs_read_present(
		    r->project_fd, path, max, text, ret_is_read, dg);
	*ret_is_read =
	    fs_read_nolinks(r->project_fd, path, max, text, &ignored) == 0 &&
	    npmredirect_has_mark(text->buf, text->len);
	return 0;
}

/* Returns the first entry of a name, or NULL. */
static const struct patchledger_entry *
find_name(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->ledger->nr; i++)
		if (strcmp(r->ledger->v[i].name, name) == 0)
			return &r->ledger->v[i];
	return NULL;
}

/* Returns the path of an entry's package.tar. */
static const char *
copy_of(const struct run *r, const struct patchledger_entry *e)
{
	return r->want.v[e - r->ledger->v].path;
}

static void
add_orphan(struct run *r, const char *file, const char *name,
    const char *version, const struct json *value)
{
	cleanup_free char *own_name = xstrdup(name);
	cleanup_free char *own_version = xstrdup(version);
	cleanup_free char *path = show(path_of(value));
	const struct patchledger_entry orphan = {
		.name = patchledger_is_name(NPM, name) ? own_name : NULL,
		.version = patchledger_is_word(version) ? own_version : NULL,
	};

	patchcheck_add(r->check, PATCHCHECK_BLOCK_ORPHAN, NPM, &orphan, file,
	    "leads to %s, which is not recorded", path);
}

static void
check_overrides(struct run *r, const struct json *root)
{
	const struct json *overrides = json_get(root, "overrides");

	for (size_t i = 0; i < r->ledger->nr; i++) {
		const struct patchledger_entry *e = &r->ledger->v[i];
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *key =
		    xasprintf("%s@%s", e->name, e->version);
		const struct json *value = json_get(overrides, key);
		cleanup_free char *path = NULL;

		if (npmmanifest_judge_overrides(root, e->name, &dg) != 0)
			add_conflict(r, e, MANIFEST, dg.message);
		if (value == NULL)
			patchcheck_add(r->check, PATCHCHECK_BLOCK_MISSING, NPM,
			    e, MANIFEST, "\"overrides\" does not lead %s to %s",
			    key, copy_of(r, e));
		/* The user's own is a conflict, and told as such. */
		if (!npmmanifest_is_ours(value) ||
		    strcmp(path_of(value), copy_of(r, e)) == 0)
			continue;
		path = show(path_of(value));
		patchcheck_add(r->check, PATCHCHECK_BLOCK_OTHER, NPM, e,
		    MANIFEST, "\"overrides\" leads %s to %s, and not to %s",
		    key, path, copy_of(r, e));
	}
	for (size_t i = 0; i < json_len(overrides); i++) {
		const char *key = json_key_at(overrides, i);
		const char *at = strrchr(key, '@');
		cleanup_free char *name = at == NULL
		    ? xstrdup(key)
		    : xstrndup(key, (size_t)(at - key));
		const char *version = at == NULL ? "" : at + 1;
		const struct json *value = json_value_at(overrides, i);

		if (npmmanifest_is_ours(value) &&
		    patchledger_find(r->ledger, NPM, name, version) == NULL)
			add_orphan(r, MANIFEST, name, version, value);
	}
}

/* A direct dependency whose spec is a redirect. */
static void
check_redirected_spec(struct run *r, const char *section, const char *name,
    const struct json *value)
{
	const struct patchledger_entry *e = find_name(r, name);
	cleanup_free char *path = NULL;

	if (e == NULL) {
		add_orphan(r, MANIFEST, name, "", value);
		return;
	}
	for (size_t i = 0; i < r->ledger->nr; i++)
		if (strcmp(r->ledger->v[i].name, name) == 0 &&
		    strcmp(r->want.v[i].path, path_of(value)) == 0)
			return;
	path = show(path_of(value));
	patchcheck_add(r->check, PATCHCHECK_BLOCK_OTHER, NPM, e, MANIFEST,
	    "\"%s\" leads %s to %s, and not to %s", section, name, path,
	    copy_of(r, e));
}

/* npm refuses an override that differs from a direct dependency. */
static void
check_specs(struct run *r, const char *section, const struct json *specs)
{
	for (size_t i = 0; i < json_len(specs); i++)
		if (npmmanifest_is_ours(json_value_at(specs, i)))
			check_redirected_spec(r, section, json_key_at(specs, i),
			    json_value_at(specs, i));
	for (size_t i = 0; i < r->ledger->nr; i++) {
		const struct patchledger_entry *e = &r->ledger->v[i];
		const struct json *value = json_get(specs, e->name);
		const char *spec = json_string_or(value, "file:");

		if (value == NULL || npmmanifest_is_ours(value) ||
		    npmrange_judge(spec, e->version) == NPMRANGE_NO)
			continue;
		patchcheck_add(r->check, PATCHCHECK_BLOCK_MISSING, NPM, e,
		    MANIFEST, "\"%s\" does not lead %s to %s", section, e->name,
		    copy_of(r, e));
	}
}

typedef int set_redirects(const struct strbuf *text,
    const struct npmredirects *had, const struct npmredirects *want,
    struct strbuf *out, struct diag *dg);

/*
 * Does what the writers do, and finds what the checks before have not: each
 * difference of the text from the one that they would write.  original gets the
 * text without redirects, and nothing if there are findings already.
 */
static int
compare_text(struct run *r, const char *path, const struct strbuf *text,
    set_redirects *set, struct strbuf *original, struct diag *dg)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;

	if (r->check->nr > r->before)
		return 0;
	if (set(text, &r->want, NULL, original, &failure) != 0) {
		if (failure.class == DIAG_CONFIG) {
			add_conflict(r, NULL, path, failure.message);
			return 0;
		}
		return diag_move(dg, &failure);
	}
	if (set(text, &r->want, &r->want, &again, &failure) != 0 ||
	    !strbuf_equal(&again, text))
		patchcheck_add(r->check, PATCHCHECK_BLOCK_FOREIGN, NPM, NULL,
		    path, "the redirects are not as drydock wrote them");
	return 0;
}

static int
check_manifest(struct run *r, struct strbuf *text, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_strbuf struct strbuf original = STRBUF_INIT;
	bool is_read;

	if (read_file(
		r, MANIFEST, NPMREDIRECT_MANIFEST_MAX, text, &is_read, dg) != 0)
		return -1;
	for (size_t i = 0; !is_read && i < r->ledger->nr; i++)
		patchcheck_add(r->check, PATCHCHECK_BLOCK_MISSING, NPM,
		    &r->ledger->v[i], MANIFEST, "missing");
	if (!is_read)
		return 0;
	if (npmmanifest_parse(text, &root, dg) != 0)
		return -1;
	check_overrides(r, root);
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++)
		check_specs(r, npmmanifest_sections[i],
		    json_get(root, npmmanifest_sections[i]));
	return compare_text(
	    r, MANIFEST, text, npmredirect_set_manifest, &original, dg);
}

/* Names the versions of a package that the lock has. */
static void
add_other_version(struct run *r, const struct patchledger_entry *e,
    const struct json *packages)
{
	cleanup_strvec struct strvec versions = STRVEC_INIT;
	cleanup_free char *list = NULL;

	for (size_t i = 0; i < json_len(packages) && versions.nr < 10; i++) {
		const char *name = npmlock_name_of(json_key_at(packages, i));
		const char *version = json_string(
		    json_get(json_value_at(packages, i), "version"));

		if (name != NULL && strcmp(name, e->name) == 0 &&
		    version != NULL && !strvec_has(&versions, version))
			strvec_push(&versions, version);
	}
	list = strvec_join(&versions, ", ");
	if (versions.nr == 0)
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_VERSION, NPM, e,
		    LOCK, "does not have %s", e->name);
	else
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_VERSION, NPM, e,
		    LOCK, "has %s %s, and not %s", e->name, list, e->version);
}

static void
check_entry(struct run *r, const struct patchledger_entry *e,
    const struct json *packages)
{
	cleanup_free char *at = NULL;
	struct npmlock_found f;

	npmlock_find(packages, e->name, e->version, &f);
	switch (f.locked) {
	case ECOSYSTEM_ABSENT:
		add_other_version(r, e, packages);
		break;
	case ECOSYSTEM_ORIGINAL:
		if (digest_equal(&f.integrity, &e->pristine))
			patchcheck_add(r->check, PATCHCHECK_LOCK_ORIGINAL, NPM,
			    e, LOCK, "leads to the original of %s %s", e->name,
			    e->version);
		else
			patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_SOURCE,
			    NPM, e, LOCK,
			    "has another integrity of %s %s "
			    "than " PATCHLEDGER_PATH,
			    e->name, e->version);
		break;
	case ECOSYSTEM_REDIRECTED:
		at = show(f.resolved);
		if (strcmp(f.resolved, copy_of(r, e)) != 0)
			patchcheck_add(r->check, PATCHCHECK_BLOCK_OTHER, NPM, e,
			    LOCK, "leads %s %s to %s, and not to %s", e->name,
			    e->version, at, copy_of(r, e));
		else if (!digest_equal(&f.integrity, &e->integrity))
			patchcheck_add(r->check, PATCHCHECK_BLOCK_OTHER, NPM, e,
			    LOCK,
			    "has another integrity of the patched %s %s "
			    "than " PATCHLEDGER_PATH,
			    e->name, e->version);
		break;
	case ECOSYSTEM_OTHER:
		at = show(f.path);
		patchcheck_add(r->check,
		    f.is_twice ? PATCHCHECK_LOCK_TWICE
			       : PATCHCHECK_LOCK_OTHER_SOURCE,
		    NPM, e, LOCK, "has %s %s otherwise: %s %s", e->name,
		    e->version, at, f.why);
		break;
	}
}

static void
find_orphans(struct run *r, const struct json *packages)
{
	for (size_t i = 0; i < json_len(packages); i++) {
		const struct json *entry = json_value_at(packages, i);
		const char *name = npmlock_name_of(json_key_at(packages, i));
		const char *version =
		    json_string_or(json_get(entry, "version"), "");

		if (name != NULL &&
		    npmmanifest_is_ours(json_get(entry, "resolved")) &&
		    patchledger_find(r->ledger, NPM, name, version) == NULL)
			add_orphan(r, LOCK, name, version,
			    json_get(entry, "resolved"));
	}
}

/* Dependents that npm would not lead to the copy, or to another one. */
static int
check_dependents(struct run *r, const struct strbuf *original, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	if (r->check->nr > r->before || r->ledger->nr == 0)
		return 0;
	if (npmlock_parse_json(original->buf, original->len, LOCK, &root, dg) !=
	    0)
		return -1;
	for (size_t i = 0; i < r->ledger->nr; i++) {
		const struct patchledger_entry *e = &r->ledger->v[i];
		cleanup_diag struct diag failure = DIAG_INIT;

		if (npmlock_judge_dependents(json_get(root, "packages"),
			e->name, e->version, &failure) != 0)
			add_conflict(r, e, LOCK, failure.message);
	}
	return 0;
}

static int
check_lock(struct run *r, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_strbuf struct strbuf original = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct json *packages;
	bool is_read;

	if (read_file(r, LOCK, NPMLOCK_MAX_SIZE, &text, &is_read, dg) != 0)
		return -1;
	for (size_t i = 0; !is_read && i < r->ledger->nr; i++)
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_VERSION, NPM,
		    &r->ledger->v[i], LOCK, "missing");
	if (!is_read)
		return 0;
	if (npmlock_parse_json(text.buf, text.len, LOCK, &root, dg) != 0)
		return -1;
	packages = json_get(root, "packages");
	for (size_t i = 0; i < r->ledger->nr; i++)
		check_entry(r, &r->ledger->v[i], packages);
	find_orphans(r, packages);
	if (compare_text(r, LOCK, &text, npmredirect_set_lock, &original, dg) !=
	    0)
		return -1;
	return check_dependents(r, &original, dg);
}

/* Reads a lock file that is only worth a note.  Returns false if it cannot. */
static bool
read_other_lock(const struct run *r, const char *path, struct npmlock *ret)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return fs_read_nolinks(r->project_fd, path, NPMLOCK_MAX_SIZE, &text,
		   &ignored) == 0 &&
	    npmlock_parse(ret, text.buf, text.len, path, &ignored) == 0;
}

/* npm writes down what it has installed. */
static void
note_installed(struct run *r)
{
	cleanup_npmlock struct npmlock lock = NPMLOCK_INIT;

	if (!read_other_lock(r, INSTALLED, &lock))
		return;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct npmlock_package *p = &lock.v[i];
		const struct patchledger_entry *e = p->version == NULL
		    ? NULL
		    : patchledger_find(r->ledger, NPM, p->name, p->version);

		if (e != NULL && !digest_equal(&p->integrity, &e->integrity))
			patchcheck_note(r->check, "node_modules",
			    "has %s %s without the patch; run \"npm ci\" in a "
			    "session",
			    e->name, e->version);
	}
}

/* Tells a project below this one whose lock file has the original. */
static void
found_below(void *arg, const char *path)
{
	cleanup_npmlock struct npmlock lock = NPMLOCK_INIT;
	struct run *r = arg;

	if (strchr(path, '/') == NULL || r->nlocks++ >= MAX_LOCKS ||
	    !read_other_lock(r, path, &lock))
		return;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct npmlock_package *p = &lock.v[i];

		if (find_name(r, p->name) != NULL && p->version != NULL &&
		    p->resolved != NULL && npmlock_is_tarball(p->resolved))
			patchcheck_note(r->check, path,
			    "has %s %s from the registry: its directory is a "
			    "project of its own, which the patch here does not "
			    "change",
			    p->name, p->version);
	}
}

static void
note_others(struct run *r)
{
	static const char *const names[] = { LOCK, "npm-shrinkwrap.json",
		NULL };
	static const char *const managers[] = { "pnpm-lock.yaml", "yarn.lock" };
	cleanup_diag struct diag dg = DIAG_INIT;
	bool is_whole = true;

	for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
		if (patchcheck_may_exist(r->project_fd, managers[i]))
			patchcheck_note(r->check, managers[i],
			    "is of another package manager, which does not use "
			    "the patches of npm");
	if (below_find(r->project_fd, names, found_below, r, &is_whole, &dg) !=
		0 ||
	    !is_whole)
		patchcheck_note(r->check, ".",
		    "is too large or too deep to look for each " LOCK
		    " in it, or a directory cannot be read");
}

int
npmcheck_run(int project_fd, const struct patchledger *ledger,
    struct patchcheck *check, struct diag *dg)
{
	struct run r = {
		.project_fd = project_fd,
		.ledger = ledger,
		.check = check,
		.want = NPMREDIRECTS_INIT,
		.before = check->nr,
	};
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
	int rc = 0;

	npmredirects_fill(&r.want, ledger);
	/* What cannot be judged comes first, and costs little. */
	if (check_manifest(&r, &manifest, dg) != 0 || check_lock(&r, dg) != 0)
		rc = -1;
	if (rc == 0 && ledger->nr > 0) {
		npmroot_judge(project_fd, &manifest, found_conflict, &r);
		note_installed(&r);
		note_others(&r);
	}
	npmredirects_release(&r.want);
	return rc;
}
