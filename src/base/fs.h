/* SPDX-License-Identifier: MIT */
/*
 * fs: files under a directory that is held open.
 *
 * Every path is relative to a directory descriptor and may not leave that
 * directory: an absolute path, a ".." or a symlink that leads outside fails.
 * Every returned descriptor is close-on-exec and owned by the caller.  Failures
 * are DIAG_IO unless stated otherwise.  Messages name the path as `what` gives
 * it.
 */
#ifndef DRYDOCK_FS_H
#define DRYDOCK_FS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct diag;
struct strbuf;

/*
 * Opens path beneath dirfd with openat2(2), RESOLVE_BENEATH and
 * RESOLVE_NO_MAGICLINKS.  O_CLOEXEC is added.  mode is used with O_CREAT only.
 * errnum in *dg is the errno, for example ENOENT.
 */
int fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode,
    int *ret_fd, struct diag *dg);

/* The same, and refuses a symlink in any component (RESOLVE_NO_SYMLINKS). */
int fs_open_nolinks(int dirfd, const char *path, int flags, mode_t mode,
    int *ret_fd, struct diag *dg);

/*
 * openat2(2), retried after EINTR and EAGAIN.  Only resolve (RESOLVE_*) limits
 * where path leads.  O_CLOEXEC is added.  mode is used with O_CREAT only.
 * Returns the descriptor, or -1 with errno.
 */
int fs_openat2(
    int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);

/* Returns true for ENOENT and ENOTDIR: there is no such file. */
bool fs_is_absent(const struct diag *failure);

/* Opens a directory by an ordinary path for reading.  Symlinks are followed. */
int fs_open_dir(const char *path, int *ret_fd, struct diag *dg);

/*
 * Creates the directory name, one component in dirfd, with exactly mode,
 * regardless of the umask.  An existing entry is opened instead: it must be a
 * real directory owned by the caller, and keeps its mode.  If the caller cannot
 * read its existing directory, the owner's rwx permissions are restored first.
 */
int fs_make_dir(
    int dirfd, const char *name, mode_t mode, int *ret_fd, struct diag *dg);

/*
 * The same for each component of a path below dirfd, which has one at least.
 * *ret_fd is the last one's.
 */
int fs_make_dirs(
    int dirfd, const char *path, mode_t mode, int *ret_fd, struct diag *dg);

/*
 * Opens an existing directory, one component in dirfd, for reading.  If the
 * caller owns it and the owner lacks read, write or search permission, the
 * owner's rwx permissions are restored first.  This is retried while another
 * process removes them again.
 */
int fs_open_own_dir(int dirfd, const char *name, int *ret_fd, struct diag *dg);

/*
 * Creates an absolute path.  Missing components are created with mode.
 * Existing components may be symlinks (an XDG directory on another disk).  The
 * last component must be a directory owned by the caller.
 */
int fs_make_path(const char *path, mode_t mode, int *ret_fd, struct diag *dg);

/*
 * Reads a whole regular file of at most max bytes and appends it to out.  A
 * larger file is DIAG_DATA; the message names the limit.  A fifo, socket or
 * directory is an error and never blocks (O_NONBLOCK, then fstat).
 */
int fs_read_file(int dirfd, const char *path, size_t max, struct strbuf *out,
    struct diag *dg);
/* The same, and refuses a symlink in any component. */
int fs_read_nolinks(int dirfd, const char *path, size_t max, struct strbuf *out,
    struct diag *dg);
/* The same; a file that is absent is a success, and *ret_there is false. */
int fs_read_present(int dirfd, const char *path, size_t max, struct strbuf *out,
    bool *ret_there, struct diag *dg);
int fs_read_fd(
    int fd, const char *what, size_t max, struct strbuf *out, struct diag *dg);

/*
 * Both append the regular file at path, as open(2) finds it: path may be
 * absolute, and symlinks are followed.  They return false and append nothing if
 * the file is absent, unreadable or larger than max bytes.  fs_try_read_text()
 * also rejects a file with a NUL byte.
 */
bool fs_try_read(const char *path, size_t max, struct strbuf *out);
bool fs_try_read_text(const char *path, size_t max, struct strbuf *out);

/* Writes all len bytes; retries short writes and EINTR. */
int fs_write_all(
    int fd, const void *data, size_t len, const char *what, struct diag *dg);

/*
 * Replaces name, one component in dirfd, with len bytes atomically: a failure
 * before the rename leaves the old file.  dirfd is open for reading.  After
 * success the contents survive a power cut: the data is flushed before the
 * rename and the directory after it.  A killed process may leave a temporary
 * file, which fs_temp_clean() removes.
 */
int fs_replace_file(int dirfd, const char *name, const void *data, size_t len,
    mode_t mode, struct diag *dg);

/*
 * Temporary files, filled and then renamed to their final name.
 *
 * A killed process leaves its temporary file behind.  No reader uses the name
 * of a temporary file.  In a session's directory the file is removed with the
 * session.  In a directory that outlives sessions, a writer calls
 * fs_temp_clean() first.  The writer holds an exclusive flock(2) on its
 * temporary file; an unlocked file is a leftover.
 */
#define FS_TEMP_SIZE (NAME_MAX + 1)

/*
 * Creates an empty, locked file of mode 0600 in dirfd, called ".NAME.RANDOM".
 * The caller closes *ret_fd, open for reading and writing; that releases the
 * lock.  The caller renames or removes the file.
 */
int fs_temp_create(int dirfd, const char *name, char ret_temp[FS_TEMP_SIZE],
    int *ret_fd, struct diag *dg);

/*
 * Removes the temporary files for name that killed processes left in dirfd.  A
 * file that cannot be removed stays for the next call.
 */
void fs_temp_clean(int dirfd, const char *name);

/*
 * Removes the tree at name, one component in dirfd.  The removal follows no
 * symlink and stays on the tree's file system.  Directories without permissions
 * are given them first.  The tree's depth costs no stack and few descriptors.
 * An absent name is success.  An entry that cannot be removed does not stop the
 * removal of the others; *dg names the first such entry.
 */
int fs_remove_tree(int dirfd, const char *name, struct diag *dg);

/*
 * Connects to the unix socket at name in dirfd.  This is safe if an attacker
 * can write to the directory: a symlink is never followed.  *ret_fd is
 * non-blocking.  Returns 0, or -1 with errno; a file that is not a socket is
 * ENOTSOCK.
 */
int fs_connect_socket(int dirfd, const char *name, int *ret_fd);

/*
 * Empties the directory at name as fs_remove_tree() removes one.  The directory
 * itself stays, with its inode.  An absent name is a failure.
 */
int fs_empty_dir(int dirfd, const char *name, struct diag *dg);

/*
 * Changes the mode of the file that an O_PATH descriptor refers to, through
 * /proc.  No name is looked up again, so that no symlink can redirect the
 * change.  Returns 0, or -1 with errno.
 */
int fs_chmod_fd(int fd, mode_t mode);

/*
 * Returns the path that the kernel reports for fd (returned).  The path may
 * lead to another file by the time it is used.  Returns -1 with errno; ENOENT
 * if the file has no path here.
 */
int fs_real_path(int fd, char **ret_path);

/*
 * Returns true if name is one component: not empty, ".", ".." or with a slash.
 */
bool fs_is_component(const char *name);

/*
 * Copies the tree below src_fd into dst_fd (an empty directory): directories,
 * regular files (copy_file_range) and symlinks, never hard links.  Modes keep
 * the user bits and lose group and other write, set-id and sticky bits.  Holes
 * are preserved.  Another file type, or a tree more than FS_COPY_DEPTH
 * directories deep, is DIAG_DATA; the message names the entry.  A failure
 * leaves the part that was already copied.
 *
 * wanted (NULL: copy everything) is called with the path below src_fd before
 * the entry is opened.  If it returns false, the entry is skipped; a skipped
 * directory is skipped with all its contents.
 */
#define FS_COPY_DEPTH 64
int fs_copy_wanted(int src_fd, int dst_fd,
    bool (*wanted)(void *arg, const char *path, const struct stat *st),
    void *arg, struct diag *dg);

/*
 * Copies at most left bytes from in's offset to out's offset, and stops at the
 * end of in.  Both offsets are 0 for a reflink.  The kernel copies if it can.
 */
int fs_copy_bytes(
    int in, int out, off_t left, const char *what, struct diag *dg);

/* Creates a sealed anonymous file (memfd) with these bytes, at offset 0. */
int fs_memfd(const char *name, const void *data, size_t len, int *ret_fd,
    struct diag *dg);

/*
 * Fills buf (len > 0) with len - 1 characters from [a-z0-9] and a terminator.
 * The characters come from getrandom(2).
 */
void fs_random_name(char *buf, size_t len);

/* Returns true if both stats describe the same file. */
bool fs_same(const struct stat *a, const struct stat *b);

#endif /* DRYDOCK_FS_H */
