/* SPDX-License-Identifier: MIT */
/*
 * packages: the files in a package manager's cache that a project's lock file
 * proves, and the directories of a cache in which they are.
 */
#ifndef DRYDOCK_PACKAGES_H
#define DRYDOCK_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "deps/modzip.h"

struct diag;
struct stat;
struct strbuf;
struct strvec;
struct toolchains;

/* What of a file must equal the digest. */
enum package_proof {
	PACKAGE_BYTES,
	PACKAGE_GO_ZIP, /* h1 of the unpacked files */
	PACKAGE_GO_MOD, /* h1 of the file as go.mod */
};

struct package_file {
	char *path; /* owned; below a cachedir */
	/* owned; cargo: its entry below the cachedir's index; or NULL */
	char *index;
	/* owned; the directory that the manager unpacks it to, or NULL */
	char *unpacked;
	/* owned; Go: the file's version, by which an .info is made; or NULL */
	char *version;
	enum package_proof proof;
	bool below; /* named by a lock file below the project's directory */
	struct digest digest;
	bool crates_io; /* cargo: the lock has it from crates.io */
	/*
	 * cargo: from crates.io, and the lock has no other package of this
	 * path: a registry that replaces crates.io may have it
	 */
	bool mirrored;
};

#define PACKAGE_MAX_SIZE MODZIP_MAX_SIZE /* bytes of a file */
#define PACKAGES_MAX 200000 /* that the lock files name */
#define PACKAGES_LOCK_BYTES ((size_t)64 * 1024 * 1024) /* of lock files */

struct packages {
	struct package_file *v; /* owned; sorted by path */
	size_t nr;
	size_t alloc;
	bool below; /* of what is added */
};

#define PACKAGES_INIT             \
	{                         \
		NULL, 0, 0, false \
	}

/* A directory of a cache that holds package files. */
struct cachedir {
	char *label; /* owned; for messages */
	int fd; /* owned */
	char *into; /* owned; its place in a slot, below the manager's cache */
	char *unpacked_in; /* owned; where packages are unpacked, or NULL */
	bool crates_io; /* cargo: the registry's */
	/* owned; cargo: the host's index that belongs to it, or -1 */
	int index_fd;
	char *index_into; /* owned; or NULL */
};

struct cachedirs {
	struct cachedir *v; /* owned */
	size_t nr;
};

#define CACHEDIRS_INIT  \
	{               \
		NULL, 0 \
	}

/*
 * Where packages are looked for.  All are hostile input: a digest proves what
 * is taken.
 */
struct package_sources {
	const char *home; /* borrowed; the host user's */
	/* borrowed; CARGO_HOME, npm_config_cache, GOMODCACHE, GOPATH */
	const char *const *envp;
	/* borrowed; data of the project's slots; may change or vanish */
	const int *slot_fds;
	size_t nslots;
};

struct package_manager {
	const char *slot_dir; /* below a slot's data; a toolchain's cache */
	const char *lock; /* the name of its lock files */
	/* Returned: the host user's cache, or NULL. */
	char *(*host_dir)(const char *home, const char *const *envp);
	int (*read)(struct packages *packages, const char *text, size_t len,
	    const char *what, struct diag *dg);
	/* Appends the directories of the cache root_fd (borrowed). */
	void (*open)(struct cachedirs *dirs, int root_fd, const char *label,
	    bool is_host);
};

/*
 * Returns true if the package may be in the directory.  cargo calls the crates
 * of two registries by the same name, and does not check a cached crate.  The
 * lock names crates.io also if a mirror replaces it; a mirror has its own
 * directory.
 */
bool package_belongs(const struct package_file *p, const struct cachedir *dir);

enum {
	PACKAGE_MANAGER_CARGO,
	PACKAGE_MANAGER_NPM,
	PACKAGE_MANAGER_GO,
	PACKAGE_MANAGER_NR,
};

extern const struct package_manager package_managers[PACKAGE_MANAGER_NR];

/* Returns true if a toolchain has the manager's cache. */
bool package_manager_is_used(
    const struct package_manager *pm, const struct toolchains *toolchains);

/*
 * Reads the manager's lock files, paths below the project's directory, in order
 * and within the limits above.  A symlink and what the lock's reader refuses are
 * failures.  An absent file is an empty set.  Two packages with one path and two
 * digests are left out: the directory of a registry does not show which
 * registry that is, and two lock files may disagree.  But a lock file below the
 * project's directory takes no package away from the one in that directory.
 *
 * Returns -1 if a lock file was not read; *dg has the first cause, and
 * ret_packages (PACKAGES_INIT before) the packages of the others.
 */
int packages_read(struct packages *ret_packages,
    const struct package_manager *pm, int project_fd,
    const struct strvec *paths, struct diag *dg);
void packages_release(struct packages *packages);

/*
 * Compares the bytes in fd with the package's digest.  DIAG_DATA if they are
 * others, DIAG_IO if they cannot be read.
 */
int package_prove(
    const struct package_file *p, int fd, off_t size, struct diag *dg);

/*
 * Opens what is below a cache.  Follows no link and does not leave dirfd.
 * Returns -1 with errno.
 */
int cachedir_open_beneath(int dirfd, const char *path, int flags);

/*
 * Opens a regular file for reading.  Returns -1 with static text in *ret_why if
 * what is there is none, or its mode keeps it from being read.  Returns -1 with
 * errno and without a text if nothing is there (ENOENT), or if it cannot be
 * told.
 */
int cachedir_open(
    int dirfd, const char *path, struct stat *ret_st, const char **ret_why);

/* Appends the sources' directories.  A cache that cannot be opened has none. */
void cachedirs_open(struct cachedirs *dirs, const struct package_manager *pm,
    const struct package_sources *sources);
void cachedirs_release(struct cachedirs *dirs);

/*
 * Appends the bytes of a file below the directory if they have the digest.
 * Returns false if it is absent, or is anything else, which is a warning; what
 * is its name there.
 */
bool cachedir_read(const struct cachedir *dir, const char *path,
    const char *what, size_t max, const struct digest *digest,
    struct strbuf *out);

/* Returned: where npm's cache has the content of a SHA-512. */
char *npm_content_path(const struct digest *digest);

#define cleanup_packages __attribute__((cleanup(packages_release)))
#define cleanup_cachedirs __attribute__((cleanup(cachedirs_release)))

#endif /* DRYDOCK_PACKAGES_H */
