/* SPDX-License-Identifier: MIT */
/* Finds, unpacks, packs and compares packages of npm. */
#include "deps/npmpackage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "deps/packages.h"
#include "deps/packagetar.h"
#include "deps/patchtree.h"

#define TOP "package/"
#define FILE_MODE 0644
#define PROGRAM_MODE 0755
#define LABEL_MAX ((size_t)200)
#define MTIME 499162500 /* of all files in what "npm pack" makes */

/* A header of a tar (POSIX.1 ustar). */
#define BLOCK ((size_t)512)
#define NAME_SIZE ((size_t)100)

enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_SUM = 148,
	AT_TYPE = 156,
	AT_MAGIC = 257,
};

int
npmpackage_find(const struct package_sources *sources, const char *name,
    const char *version, const struct digest *integrity, struct strbuf *out,
    struct diag *dg)
{
	cleanup_cachedirs struct cachedirs dirs = CACHEDIRS_INIT;
	cleanup_free char *what = xasprintf("%s@%s", name, version);
	cleanup_free char *path = npm_content_path(integrity);

	cachedirs_open(&dirs, &package_managers[PACKAGE_MANAGER_NPM], sources);
	for (size_t i = 0; i < dirs.nr; i++)
		if (cachedir_read(&dirs.v[i], path, what, PACKAGETAR_MAX_SIZE,
			integrity, out))
			return 0;
	return diag_set(dg, DIAG_NO,
	    "%s: no cache has the tarball that the lock names; in a session of "
	    "a project without patches, run \"npm cache add %s\"",
	    what, what);
}

int
npmpackage_unpack(const char *bytes, size_t len, const char *name,
    const char *version, int dir_fd, struct diag *dg)
{
	cleanup_free char *what = xasprintf("%s@%s", name, version);
	const struct packagetar_spec spec = { .file = what,
		.has_programs = true };

	return packagetar_unpack(&spec, bytes, len, dir_fd, dg);
}

struct packing {
	int tree_fd; /* borrowed */
	int modes_fd; /* borrowed */
	int fd; /* owned; the tar */
	off_t size; /* of the tar so far */
	struct diag *dg;
};

static int
put(struct packing *p, const void *data, size_t len)
{
	if (fs_write_all(p->fd, data, len, NPMPACKAGE_FILE, p->dg) != 0)
		return -1;
	p->size += (off_t)len;
	return 0;
}

static int
put_padding(struct packing *p)
{
	static const char zeros[BLOCK];
	size_t rest = (size_t)p->size % BLOCK;

	return rest == 0 ? 0 : put(p, zeros, BLOCK - rest);
}

/* Writes a header; what of the name does not fit is left out. */
static int
put_header(struct packing *p, char type, const char *name, unsigned int mode,
    off_t size)
{
	char header[BLOCK] = { 0 };
	size_t len = strlen(name);
	unsigned int sum = 0;

	if (len > NAME_SIZE)
		len = utf8_valid_prefix(name, NAME_SIZE);
	memcpy(header + AT_NAME, name, len);
	(void)snprintf(header + AT_MODE, 8, "%07o", mode);
	(void)snprintf(header + AT_UID, 8, "%07o", 0U);
	(void)snprintf(header + AT_GID, 8, "%07o", 0U);
	(void)snprintf(header + AT_SIZE, 12, "%011llo",
	    (unsigned long long)size & 077777777777);
	(void)snprintf(header + AT_MTIME, 12, "%011o", (unsigned int)MTIME);
	header[AT_TYPE] = type;
	memcpy(header + AT_MAGIC, "ustar\00000", 8);
	/* The sum is computed with blanks in its own place. */
	memset(header + AT_SUM, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + AT_SUM, 7, "%06o", sum);
	return put(p, header, BLOCK);
}

static bool
fits_header(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] >= 0x80)
			return false;
	return len <= NAME_SIZE;
}

/* Writes a pax header with the name of the file that follows. */
static int
put_name(struct packing *p, const char *name)
{
	cleanup_strbuf struct strbuf record = STRBUF_INIT;
	size_t rest = strlen(" path=\n") + strlen(name);
	size_t len = rest + 1;

	/* The length counts its own digits. */
	while (rest + (size_t)snprintf(NULL, 0, "%zu", len) != len)
		len++;
	strbuf_addf(&record, "%zu path=%s\n", len, name);
	if (put_header(p, 'x', "PaxHeader", FILE_MODE, (off_t)len) != 0 ||
	    put(p, record.buf, record.len) != 0)
		return -1;
	return put_padding(p);
}

static int
find_mode(struct packing *p, const char *path, unsigned int *ret_mode)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_close int fd = -1;
	struct stat st;

	*ret_mode = FILE_MODE;
	if (fs_open_nolinks(p->modes_fd, path, O_PATH, 0, &fd, &failure) != 0) {
		/* The patch adds the file. */
		return fs_is_absent(&failure) ? 0 : diag_move(p->dg, &failure);
	}
	if (fstat(fd, &st) < 0)
		return diag_set_errno(p->dg, DIAG_IO, errno, "stat %s", path);
	if (S_ISREG(st.st_mode) && (st.st_mode & S_IXUSR) != 0)
		*ret_mode = PROGRAM_MODE;
	return 0;
}

static int
put_file(struct packing *p, const struct patchtree_file *f)
{
	cleanup_free char *name = xasprintf(TOP "%s", f->path);
	cleanup_close int fd = -1;
	unsigned int mode;
	struct stat st;
	off_t size;

	if (find_mode(p, f->path, &mode) != 0 ||
	    fs_open_nolinks(p->tree_fd, f->path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, p->dg) != 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return diag_set_errno(
		    p->dg, DIAG_IO, errno, "stat %s", f->path);
	if (!fits_header(name) && put_name(p, name) != 0)
		return -1;
	if (put_header(p, '0', name, mode, st.st_size) != 0 ||
	    patchtree_copy_file(f, fd, p->fd, &size, p->dg) != 0)
		return -1;
	if (size != st.st_size)
		return diag_set(p->dg, DIAG_DATA,
		    "%s: it changed while it was copied", f->path);
	p->size += size;
	return put_padding(p);
}

int
npmpackage_pack(int tree_fd, const struct patchtree *tree, int modes_fd,
    int out_fd, struct digest *ret_integrity, struct diag *dg)
{
	static const char end[2 * BLOCK];
	struct packing p = { tree_fd, modes_fd, -1, 0, dg };
	cleanup_close int fd = -1;

	if (fs_open_nolinks(out_fd, NPMPACKAGE_FILE,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE, &fd,
		dg) != 0)
		return -1;
	p.fd = fd;
	for (size_t i = 0; i < tree->nr; i++)
		if (put_file(&p, &tree->v[i]) != 0)
			return -1;
	if (put(&p, end, sizeof(end)) != 0)
		return -1;
	if (digest_file(fd, p.size, DIGEST_SHA512, ret_integrity) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "read " NPMPACKAGE_FILE);
	return 0;
}

static const char *const free_keys[] = { "author", "browser", "bugs",
	"contributors", "description", "devDependencies", "exports", "files",
	"homepage", "imports", "jsdelivr", "jsnext:main", "keywords", "main",
	"maintainers", "man", "module", "publishConfig", "react-native",
	"readme", "repository", "sideEffects", "style", "svelte", "type",
	"types", "typesVersions", "typings", "unpkg" };

/* npm runs them when it installs; the lock has that there are some. */
static const char *const install_scripts[] = { "dependencies", "install",
	"postinstall", "postprepare", "preinstall", "prepare", "preprepare",
	"prepublish" };

struct member {
	const char *key;
	const struct json *value;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;

	return strcmp(x->key, y->key);
}

/* Returned: an object's members, sorted by key. */
static struct member *
sorted_members(const struct json *object)
{
	size_t nr = json_len(object);
	struct member *v = xcalloc(nr + 1, sizeof(*v));

	for (size_t i = 0; i < nr; i++)
		v[i] = (struct member){ json_key_at(object, i),
			json_value_at(object, i) };
	qsort(v, nr, sizeof(*v), compare_keys);
	return v;
}

/* How two values are compared. */
enum level {
	LEVEL_PACKAGE, /* the whole document; some keys are free */
	LEVEL_SCRIPTS, /* its "scripts": only install_scripts count */
	LEVEL_VALUE,
};

static bool
is_in(const char *key, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(key, list[i]) == 0)
			return true;
	return false;
}

static bool
is_free(enum level level, const char *key)
{
	if (level == LEVEL_PACKAGE)
		return is_in(key, free_keys, ARRAY_SIZE(free_keys));
	return level == LEVEL_SCRIPTS &&
	    !is_in(key, install_scripts, ARRAY_SIZE(install_scripts));
}

static bool same(const struct json *a, const struct json *b, enum level level,
    struct strbuf *label);

/* Compares a member of both, or of one (the other's value is NULL). */
static bool
same_member(const char *key, const struct json *a, const struct json *b,
    enum level level, struct strbuf *label)
{
	bool is_scripts = level == LEVEL_PACKAGE &&
	    strcmp(key, "scripts") == 0 && (a == NULL || json_is_object(a)) &&
	    (b == NULL || json_is_object(b));
	size_t len = label->len;

	if (is_free(level, key))
		return true;
	strbuf_addf(label, "%s%s", len > 0 ? "." : "", key);
	if (label->len > LABEL_MAX)
		strbuf_setlen(label, LABEL_MAX);
	if (!same(a, b, is_scripts ? LEVEL_SCRIPTS : LEVEL_VALUE, label))
		return false;
	strbuf_setlen(label, len);
	return true;
}

static bool
same_objects(const struct json *a, const struct json *b, enum level level,
    struct strbuf *label)
{
	cleanup_free struct member *x = sorted_members(a);
	cleanup_free struct member *y = sorted_members(b);
	size_t nx = json_len(a);
	size_t ny = json_len(b);
	size_t i = 0;
	size_t j = 0;

	while (i < nx || j < ny) {
		int order = i == nx ? 1
		    : j == ny       ? -1
				    : strcmp(x[i].key, y[j].key);
		const char *key = order <= 0 ? x[i].key : y[j].key;
		const struct json *left = order <= 0 ? x[i++].value : NULL;
		const struct json *right = order >= 0 ? y[j++].value : NULL;

		if (!same_member(key, left, right, level, label))
			return false;
	}
	return true;
}

static bool
same_arrays(const struct json *a, const struct json *b)
{
	cleanup_strbuf struct strbuf ignored = STRBUF_INIT;

	if (json_len(a) != json_len(b))
		return false;
	for (size_t i = 0; i < json_len(a); i++)
		if (!same(json_at(a, i), json_at(b, i), LEVEL_VALUE, &ignored))
			return false;
	return true;
}

/* If the values differ, label names where. */
static bool
same(const struct json *a, const struct json *b, enum level level,
    struct strbuf *label)
{
	/* Without scripts is without those that count. */
	if (level != LEVEL_VALUE || (json_is_object(a) && json_is_object(b)))
		return same_objects(a, b, level, label);
	if (json_is_array(a) && json_is_array(b))
		return same_arrays(a, b);
	if (json_is_string(a) && json_is_string(b))
		return strcmp(json_string(a), json_string(b)) == 0;
	if (json_number(a) != NULL && json_number(b) != NULL)
		return strcmp(json_number(a), json_number(b)) == 0;
	if (json_is_bool(a) && json_is_bool(b))
		return json_bool(a, false) == json_bool(b, false);
	return json_is_null(a) && json_is_null(b);
}

static int
parse(const char *text, size_t len, const char *which, const char *what,
    struct json **ret_root, struct diag *dg)
{
	cleanup_free char *name =
	    xasprintf("%s: the %s " NPMPACKAGE_MANIFEST, what, which);

	if (len > NPMPACKAGE_MANIFEST_MAX)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", name,
		    NPMPACKAGE_MANIFEST_MAX);
	if (json_parse(text, len, name, ret_root, dg) != 0)
		return -1;
	if (!json_is_object(*ret_root))
		return diag_set(
		    dg, DIAG_DATA, "%s: it is not a JSON object", name);
	return 0;
}

int
npmpackage_compare(const char *before, size_t before_len, const char *after,
    size_t after_len, const char *what, struct diag *dg)
{
	cleanup_json struct json *a = NULL;
	cleanup_json struct json *b = NULL;
	cleanup_strbuf struct strbuf label = STRBUF_INIT;

	/* Also a text that cannot be judged may stay as it is. */
	if (before_len == after_len &&
	    (before_len == 0 || memcmp(before, after, before_len) == 0))
		return 0;
	if (parse(before, before_len, "original", what, &a, dg) != 0 ||
	    parse(after, after_len, "patched", what, &b, dg) != 0)
		return -1;
	if (same(a, b, LEVEL_PACKAGE, &label))
		return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "%s: the patch changes \"%s\" in " NPMPACKAGE_MANIFEST
	    ", which can change what npm resolves or what its lock records; "
	    "take that out of the patch",
	    what, label.buf);
}

int
npmpackage_judge_names(
    const struct strvec *names, const char *what, struct diag *dg)
{
	static const char shrinkwrap[] = "npm-shrinkwrap.json";
	static const char bundled[] = "node_modules/";

	for (size_t i = 0; i < names->nr; i++)
		if (strcmp(names->v[i], shrinkwrap) == 0 ||
		    strncmp(names->v[i], bundled, strlen(bundled)) == 0)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: the patch changes %s, which can change what "
			    "npm resolves; take that out of the patch",
			    what, names->v[i]);
	return 0;
}
