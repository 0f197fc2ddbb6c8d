/* SPDX-License-Identifier: MIT */
/*
 * paths: where things live (XDG Base Directory Specification 0.8).
 *
 * The caller's home, the configuration directory (what the user writes), the
 * state directory (what drydock writes, 0700) and what is installed.
 */
#ifndef DRYDOCK_PATHS_H
#define DRYDOCK_PATHS_H

#include <sys/types.h>

struct decisive;
struct diag;
struct strbuf;

struct paths {
	uid_t uid;
	gid_t gid;
	char *user; /* owned; the passwd name, or "uUID" without an entry */
	char *home; /* owned; real path of $HOME: absolute, an own directory */
	/* owned; $HOME where that is a link to home or goes through one, or NULL */
	char *home_name;
	/* owned; the home of the passwd entry; NULL without one */
	char *account_home;
	char *config_dir; /* owned; real path; may not exist */
	/* owned; the same with the links by which it was named, or NULL */
	char *config_name;
	struct decisive *decisive; /* owned, see host/trusted.h; or NULL */
	char *state_dir; /* owned; real path once opened */
	char *data_dir; /* owned; PREFIX/share/drydock */
	char *libexec_dir; /* owned; PREFIX/libexec/drydock */
	/* owned; $XDG_RUNTIME_DIR/drydock, or /tmp/drydock-UID; may not exist */
	char *runtime_dir;
	char *self; /* owned; real path of the running program */
	int state_fd; /* -1 until paths_open_state() */
	char state_id[33]; /* 32 hex digits; "" until paths_open_state() */
};

/*
 * Finds all names; makes nothing.  Fails with DIAG_CONFIG when HOME or an XDG
 * variable is relative, unset, has a newline, colon or backslash in it, or
 * names somebody else's directory.
 */
int paths_find(struct paths *ret_paths, struct diag *dg);

/*
 * Makes and opens the state directory (0700, the caller's) with its fixed
 * children (sessions/, agents/, tokens/, trash/), refuses a file system
 * without dependable flock and rename (9p, NFS, FUSE: by its name), and reads
 * or makes the state id.  A damaged id file is DIAG_DATA: nothing may be
 * deleted then.
 */
int paths_open_state(struct paths *paths, struct diag *dg);

/*
 * Opens the state directory when it exists, makes nothing; *ret_there tells.
 */
int paths_open_state_readonly(
    struct paths *paths, int *ret_there, struct diag *dg);

/*
 * Opens a file or a directory of the configuration directory ("": itself), as
 * trusted_open() does; flags are trusted_open()'s, too.
 */
int paths_open_config(const struct paths *paths, const char *name,
    unsigned flags, int *ret_fd, struct diag *dg);

/* A regular file, also where a link leads to one. */
int paths_open_config_file(
    const struct paths *paths, const char *name, int *ret_fd, struct diag *dg);

/*
 * Reads such a file, of at most max bytes, into out; none leaves out empty.  A
 * larger one is DIAG_CONFIG.
 */
int paths_read_config_file(const struct paths *paths, const char *name,
    size_t max, struct strbuf *out, struct diag *dg);

void paths_init(struct paths *paths);
void paths_release(struct paths *paths);

#define cleanup_paths __attribute__((cleanup(paths_release)))

#endif /* DRYDOCK_PATHS_H */
