/* SPDX-License-Identifier: MIT */
/*
 * paths: the directories that drydock uses (XDG Base Directory Specification
 * 0.8).
 *
 * They are the caller's home, the configuration directory (written by the
 * user), the state directory (written by drydock, 0700) and the installed
 * files.
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
	/* owned; the passwd name, or "uUID" without a usable entry */
	char *user;
	char *home; /* owned; real path of $HOME, which the caller owns */
	/*
	 * owned; $HOME as set, if a symlink makes it differ from home; else
	 * NULL
	 */
	char *home_name;
	/* owned; home of the passwd entry, or NULL */
	char *account_home;
	char *config_dir; /* owned; real path; may not exist */
	/* owned; config_dir as named, with its symlinks; or NULL */
	char *config_name;
	struct decisive *decisive; /* owned, see host/trusted.h; or NULL */
	char *state_dir; /* owned; real path once opened */
	char *data_dir; /* owned; PREFIX/share/drydock */
	char *libexec_dir; /* owned; PREFIX/libexec/drydock */
	char *short_dir; /* owned; /tmp/drydock-UID, see host/shortlinks.h */
	/* owned; $XDG_RUNTIME_DIR/drydock, NULL if that is not set */
	char *runtime_dir;
	char *self; /* owned; real path of the running program */
	int state_fd; /* -1 until statedir_open() */
	char state_id[33]; /* 32 hex digits; "" until statedir_open() */
};

/*
 * Finds all paths and creates nothing.  Fails with DIAG_CONFIG when HOME is
 * unset, when HOME or an XDG variable is relative or contains a newline, colon
 * or backslash, or when HOME belongs to another user.
 */
int paths_find(struct paths *ret_paths, struct diag *dg);

/*
 * Opens a file or a directory of the configuration directory ("": the directory
 * itself) with trusted_open().  flags are those of trusted_open(): 0 for a
 * regular file, with symlinks followed.
 */
int paths_open_config(const struct paths *paths, const char *name,
    unsigned flags, int *ret_fd, struct diag *dg);

/*
 * Reads a regular file of at most max bytes into out.  An absent file leaves out
 * empty.  A larger file is DIAG_CONFIG.
 */
int paths_read_config_file(const struct paths *paths, const char *name,
    size_t max, struct strbuf *out, struct diag *dg);

void paths_init(struct paths *paths);
void paths_release(struct paths *paths);

#define cleanup_paths __attribute__((cleanup(paths_release)))

#endif /* DRYDOCK_PATHS_H */
