/* SPDX-License-Identifier: MIT */
/* Where cargo, npm and Go keep the packages that their lock files name. */
#include "deps/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/cargolock.h"
#include "deps/gosum.h"
#include "deps/npmlock.h"
#include "host/text.h"
#include "host/toolchain.h"

#define LOCK_MAX_SIZE NPMLOCK_MAX_SIZE
#define MAX_REGISTRIES 64
#define HASH_DIGITS 16

/*
 * cargo calls the directory of a registry HOST-HASH; the hash is of the
 * registry's URL (short_name() in cargo's sources/registry/mod.rs).  These are
 * the names of crates.io: since cargo 1.85, which the image of the toolchain
 * has at least; from 1.68; and before, when the index was a git repository.
 */
static const char *const crates_io_dirs[] = {
	"index.crates.io-1949cf8c6b5b557f",
	"index.crates.io-6f17d22bba15001f",
	"github.com-1ecc6299db9ec823",
};

int
cachedir_open_beneath(int dirfd, const char *path, int flags)
{
	return fs_openat2(dirfd, path, flags, 0,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int
cachedir_open(
    int dirfd, const char *path, struct stat *ret_st, const char **ret_why)
{
	cleanup_close int fd = cachedir_open_beneath(
	    dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	*ret_why = NULL;
	if (fd < 0) {
		if (errno == ELOOP)
			*ret_why = "it is a symbolic link";
		else if (errno == EACCES)
			*ret_why = "it cannot be read";
		else if (errno == ENXIO)
			*ret_why = "it is not a regular file";
		/* No file can have such a path. */
		else if (errno == ENOTDIR || errno == ENAMETOOLONG)
			errno = ENOENT;
		return -1;
	}
	if (fstat(fd, ret_st) < 0)
		return -1;
	if (!S_ISREG(ret_st->st_mode)) {
		*ret_why = "it is not a regular file";
		return -1;
	}
	return steal_fd(&fd);
}

static struct package_file *
add_file(struct packages *packages)
{
	struct package_file *f;

	if (packages->nr == packages->alloc) {
		packages->alloc = 2 * packages->alloc + 64;
		packages->v = xreallocarray(
		    packages->v, packages->alloc, sizeof(*packages->v));
	}
	f = &packages->v[packages->nr++];
	*f = (struct package_file){ .below = packages->below };
	return f;
}

/* Appends the directories in which an index has the crate, and its name. */
static char *
crate_index(const char *name)
{
	cleanup_free char *lower = xstrdup(name);
	size_t len = strlen(name);

	for (char *c = lower; *c != '\0'; c++)
		*c = text_lower(*c);
	if (len <= 2)
		return xasprintf("%zu/%s", len, lower);
	if (len == 3)
		return xasprintf("3/%.1s/%s", lower, lower);
	return xasprintf("%.2s/%.2s/%s", lower, lower + 2, lower);
}

static int
cargo_read(struct packages *packages, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;

	if (cargolock_parse(&lock, text, len, what, dg) != 0)
		return -1;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct cargolock_package *p = &lock.v[i];
		struct package_file *f;

		if (p->checksum.kind == DIGEST_NONE)
			continue;
		f = add_file(packages);
		f->path = xasprintf("%s-%s.crate", p->name, p->version);
		f->index = crate_index(p->name);
		f->unpacked = xasprintf("%s-%s", p->name, p->version);
		f->digest = p->checksum;
		f->crates_io = cargolock_is_crates_io(p);
	}
	return 0;
}

static bool
is_registry(const char *name)
{
	size_t len = strlen(name);

	if (len <= HASH_DIGITS + 1 || *name == '.')
		return false;
	len -= HASH_DIGITS;
	return name[len - 1] == '-' &&
	    strspn(name + len, "0123456789abcdef") == HASH_DIGITS &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") ==
	    len + HASH_DIGITS;
}

/* Returns the name of the registry's directory in a session. */
static const char *
session_registry(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(crates_io_dirs); i++)
		if (strcmp(name, crates_io_dirs[i]) == 0)
			return crates_io_dirs[0];
	return name;
}

static struct cachedir *
add_dir(struct cachedirs *dirs, const char *label, int fd)
{
	struct cachedir *d;

	dirs->v = xreallocarray(dirs->v, dirs->nr + 1, sizeof(*dirs->v));
	d = &dirs->v[dirs->nr++];
	*d = (struct cachedir){
		.label = xstrdup(label),
		.fd = fd,
		.index_fd = -1,
	};
	return d;
}

static void
cargo_open(struct cachedirs *dirs, int root_fd, const char *label, bool is_host)
{
	cleanup_close int cache =
	    cachedir_open_beneath(root_fd, "cache", O_RDONLY | O_DIRECTORY);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (cache < 0 || fs_list_names(cache, "cache", &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.nr && dirs->nr < MAX_REGISTRIES; i++) {
		const char *name = names.v[i];
		const char *here = session_registry(name);
		struct cachedir *d;
		int fd;

		if (!is_registry(name))
			continue;
		fd = cachedir_open_beneath(cache, name, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			continue;
		d = add_dir(dirs, label, fd);
		d->into = xasprintf("cache/%s", here);
		d->crates_io = strcmp(here, crates_io_dirs[0]) == 0;
		d->unpacked_in = xasprintf("src/%s", here);
		if (is_host && strcmp(here, name) == 0) {
			d->index_into = xasprintf("index/%s", here);
			d->index_fd = cachedir_open_beneath(
			    root_fd, d->index_into, O_RDONLY | O_DIRECTORY);
		}
	}
}

char *
npm_content_path(const struct digest *digest)
{
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;

	digest_add_hex(&hex, digest);
	return xasprintf(
	    "sha512/%.2s/%.2s/%s", hex.buf, hex.buf + 2, hex.buf + 4);
}

static int
npm_read(struct packages *packages, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	cleanup_npmlock struct npmlock lock = NPMLOCK_INIT;

	if (npmlock_parse(&lock, text, len, what, dg) != 0)
		return -1;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct digest *digest = &lock.v[i].integrity;
		struct package_file *f;

		if (digest->kind == DIGEST_NONE)
			continue;
		f = add_file(packages);
		f->path = npm_content_path(digest);
		f->digest = *digest;
	}
	return 0;
}

/* npm's cache is by content (contentPath() in cacache): no index is needed. */
static void
npm_open(struct cachedirs *dirs, int root_fd, const char *label, bool is_host)
{
	static const char dir[] = "_cacache/content-v2";
	int fd = cachedir_open_beneath(root_fd, dir, O_RDONLY | O_DIRECTORY);

	(void)is_host;
	if (fd >= 0)
		add_dir(dirs, label, fd)->into = xstrdup(dir);
}

static int
go_read(struct packages *packages, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	cleanup_gosum struct gosum sum = GOSUM_INIT;

	if (gosum_parse(&sum, text, len, what, dg) != 0)
		return -1;
	for (size_t i = 0; i < sum.nr; i++) {
		const struct gosum_entry *e = &sum.v[i];
		cleanup_strbuf struct strbuf module = STRBUF_INIT;
		cleanup_strbuf struct strbuf version = STRBUF_INIT;
		struct package_file *f = add_file(packages);

		gosum_add_escaped(&module, e->module);
		gosum_add_escaped(&version, e->version);
		f->path = xasprintf("%s/@v/%s.%s", module.buf, version.buf,
		    e->is_mod ? "mod" : "zip");
		f->proof = e->is_mod ? PACKAGE_GO_MOD : PACKAGE_GO_ZIP;
		f->digest = e->h1;
		f->version = xstrdup(e->version);
		if (!e->is_mod)
			f->unpacked =
			    xasprintf("%s@%s", module.buf, version.buf);
	}
	return 0;
}

static void
go_open(struct cachedirs *dirs, int root_fd, const char *label, bool is_host)
{
	static const char dir[] = "cache/download";
	int fd = cachedir_open_beneath(root_fd, dir, O_RDONLY | O_DIRECTORY);
	struct cachedir *d;

	(void)is_host;
	if (fd < 0)
		return;
	d = add_dir(dirs, label, fd);
	d->into = xstrdup(dir);
	d->unpacked_in = xstrdup(".");
}

static char *
cargo_host(const char *home, const char *const *envp)
{
	const char *set = envp_get(envp, "CARGO_HOME");

	return set != NULL && *set == '/'
	    ? xasprintf("%s/registry", set)
	    : xasprintf("%s/.cargo/registry", home);
}

static char *
npm_host(const char *home, const char *const *envp)
{
	const char *set = envp_get(envp, "npm_config_cache");

	return set != NULL && *set == '/' ? xstrdup(set)
					  : xasprintf("%s/.npm", home);
}

static char *
go_host(const char *home, const char *const *envp)
{
	const char *set = envp_get(envp, "GOMODCACHE");
	const char *gopath = envp_get(envp, "GOPATH");

	if (set != NULL && *set == '/')
		return xstrdup(set);
	if (gopath != NULL && *gopath == '/')
		return xasprintf(
		    "%.*s/pkg/mod", (int)strcspn(gopath, ":"), gopath);
	return xasprintf("%s/go/pkg/mod", home);
}

bool
package_belongs(const struct package_file *p, const struct cachedir *dir)
{
	return p->crates_io == dir->crates_io ||
	    (p->mirrored && !dir->crates_io);
}

const struct package_manager package_managers[PACKAGE_MANAGER_NR] = {
	[PACKAGE_MANAGER_CARGO] = { "cargo/registry", "Cargo.lock", cargo_host,
	    cargo_read, cargo_open },
	[PACKAGE_MANAGER_NPM] = { "npm", "package-lock.json", npm_host,
	    npm_read, npm_open },
	[PACKAGE_MANAGER_GO] = { "go/mod", "go.sum", go_host, go_read,
	    go_open },
};

bool
package_manager_is_used(
    const struct package_manager *pm, const struct toolchains *toolchains)
{
	for (size_t i = 0; i < toolchains->nr; i++)
		for (size_t j = 0; j < toolchains->v[i].ncaches; j++)
			if (strcmp(toolchains->v[i].caches[j].path,
				pm->slot_dir) == 0)
				return true;
	return false;
}

static int
compare(const void *a, const void *b)
{
	const struct package_file *x = a;
	const struct package_file *y = b;
	int order = strcmp(x->path, y->path);

	return order != 0 ? order : (int)x->crates_io - (int)y->crates_io;
}

/* What the project's own lock file names comes first. */
static int
compare_order(const void *a, const void *b)
{
	const struct package_file *x = a;
	const struct package_file *y = b;
	int order = compare(x, y);

	return order != 0 ? order : (int)x->below - (int)y->below;
}

static void
free_file(struct package_file *f)
{
	free(f->path);
	free(f->index);
	free(f->unpacked);
	free(f->version);
}

/* npm names a tarball once for each place where it is installed. */
static void
unite_duplicates(struct packages *packages)
{
	size_t kept = 0;
	size_t n;

	if (packages->nr > 0)
		qsort(packages->v, packages->nr, sizeof(*packages->v),
		    compare_order);
	for (size_t i = 0; i < packages->nr; i += n) {
		struct package_file *f = &packages->v[i];
		bool alike = true;

		for (n = 1; i + n < packages->nr && compare(f, f + n) == 0;
		     n++) {
			alike = alike &&
			    (f[n].below != f->below ||
				digest_equal(&f->digest, &f[n].digest));
			free_file(f + n);
		}
		if (alike)
			packages->v[kept++] = *f;
		else
			free_file(f);
	}
	packages->nr = kept;
	for (size_t i = 0; i < kept; i++) {
		struct package_file *f = &packages->v[i];

		f->mirrored = f->crates_io &&
		    (i == 0 || strcmp(f[-1].path, f->path) != 0) &&
		    (i + 1 == kept || strcmp(f[1].path, f->path) != 0);
	}
}

/* Adds the packages of one lock file; *left is how much may be read. */
static int
read_lock(struct packages *packages, const struct package_manager *pm,
    int project_fd, const char *path, size_t *left, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(project_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
		0, &fd, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (packages->nr >= PACKAGES_MAX)
		return diag_set(dg, DIAG_DATA,
		    "%s: the lock files name more than %d packages", path,
		    PACKAGES_MAX);
	if (fs_read_fd(fd, path, *left < LOCK_MAX_SIZE ? *left : LOCK_MAX_SIZE,
		&text, dg) != 0)
		return -1;
	*left -= text.len;
	packages->below = strchr(path, '/') != NULL;
	return pm->read(packages, text.buf, text.len, path, dg);
}

int
packages_read(struct packages *ret_packages, const struct package_manager *pm,
    int project_fd, const struct strvec *paths, struct diag *dg)
{
	cleanup_diag struct diag first = DIAG_INIT;
	size_t left = PACKAGES_LOCK_BYTES;

	for (size_t i = 0; i < paths->nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;

		if (read_lock(ret_packages, pm, project_fd, paths->v[i], &left,
			&one) != 0 &&
		    first.class == DIAG_NONE)
			diag_move(&first, &one);
	}
	unite_duplicates(ret_packages);
	return first.class == DIAG_NONE ? 0 : diag_move(dg, &first);
}

void
packages_release(struct packages *packages)
{
	for (size_t i = 0; i < packages->nr; i++)
		free_file(&packages->v[i]);
	free(packages->v);
	*packages = (struct packages)PACKAGES_INIT;
}

int
package_prove(const struct package_file *p, int fd, off_t size, struct diag *dg)
{
	struct digest digest;
	int rc = 0;

	if (p->proof == PACKAGE_GO_ZIP)
		rc = modzip_h1(fd, size, &digest, dg);
	else if (p->proof == PACKAGE_GO_MOD)
		rc = modzip_mod_h1(fd, size, &digest, dg);
	else if (digest_file(fd, size, p->digest.kind, &digest) != 0)
		rc = diag_set_errno(dg, DIAG_IO, errno, "read %s", p->path);
	if (rc != 0)
		return -1;
	if (!digest_equal(&digest, &p->digest))
		return diag_set(
		    dg, DIAG_DATA, "its bytes are not what the lock names");
	return 0;
}

void
cachedirs_open(struct cachedirs *dirs, const struct package_manager *pm,
    const struct package_sources *sources)
{
	cleanup_free char *host = pm->host_dir(sources->home, sources->envp);
	/* The user's own path may have links. */
	cleanup_close int host_fd =
	    open(host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (host_fd >= 0)
		pm->open(dirs, host_fd, host, true);
	for (size_t i = 0; i < sources->nslots; i++) {
		cleanup_close int fd = cachedir_open_beneath(
		    sources->slot_fds[i], pm->slot_dir, O_RDONLY | O_DIRECTORY);

		if (fd >= 0)
			pm->open(
			    dirs, fd, "another slot of the project", false);
	}
}

void
cachedirs_release(struct cachedirs *dirs)
{
	for (size_t i = 0; i < dirs->nr; i++) {
		free(dirs->v[i].label);
		free(dirs->v[i].into);
		free(dirs->v[i].unpacked_in);
		free(dirs->v[i].index_into);
		(void)close(dirs->v[i].fd);
		if (dirs->v[i].index_fd >= 0)
			(void)close(dirs->v[i].index_fd);
	}
	free(dirs->v);
	*dirs = (struct cachedirs)CACHEDIRS_INIT;
}

bool
cachedir_read(const struct cachedir *dir, const char *path, const char *what,
    size_t max, const struct digest *digest, struct strbuf *out)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	struct digest got;
	struct stat st;
	size_t start = out->len;
	const char *why;

	fd = cachedir_open(dir->fd, path, &st, &why);
	if (fd < 0 && why == NULL && errno == ENOENT)
		return false;
	if (fd < 0 && why == NULL)
		why = strerror(errno);
	if (fd >= 0 && st.st_size > (off_t)max)
		why = "it is too large";
	else if (fd >= 0 && fs_read_fd(fd, "the file", max, out, &dg) != 0)
		why = dg.message;
	if (why == NULL) {
		digest_of(
		    digest->kind, out->buf + start, out->len - start, &got);
		if (digest_equal(&got, digest))
			return true;
		why = "its bytes are not what the lock names";
	}
	strbuf_setlen(out, start);
	diag_warn("%s in %s: %s", what, dir->label, why);
	return false;
}
