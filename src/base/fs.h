/* SPDX-License-Identifier: MIT */
/*
 * fs: files under a directory that we hold open.
 *
 * Every path is relative to a directory descriptor and may not leave it: an
 * absolute path, a ".." or a symlink that leads outside fails.  A descriptor
 * made here is close-on-exec and belongs to the caller.  Failures are DIAG_IO
 * unless stated; messages name the path as `what` gives it.
 */
#ifndef DRYDOCK_FS_H
#define DRYDOCK_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct diag;
struct strbuf;

/*
 * Opens path beneath dirfd with openat2(2), RESOLVE_BENEATH and
 * RESOLVE_NO_MAGICLINKS; O_CLOEXEC is added.  mode counts with O_CREAT.
 * errnum in *dg tells ENOENT from the rest.
 */
int fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode,
    int *ret_fd, struct diag *dg);

/* The same, and no symlink anywhere on the way (RESOLVE_NO_SYMLINKS). */
int fs_open_nolinks(int dirfd, const char *path, int flags, mode_t mode,
    int *ret_fd, struct diag *dg);

/* Opens a directory by an ordinary path, following links, for reading. */
int fs_open_dir(const char *path, int *ret_fd, struct diag *dg);

/*
 * Makes one directory, name being one component in dirfd, with exactly mode
 * whatever the umask, or takes the one that is there: it must be a real
 * directory owned by the caller.  An existing one's mode is left alone, but
 * where the caller may not read it, all of the owner's rights are given back.
 */
int fs_make_dir(
    int dirfd, const char *name, mode_t mode, int *ret_fd, struct diag *dg);

/*
 * Opens a directory that is there, one component in dirfd, for reading.  Where
 * it is the caller's own and the owner may not read, write or search it, all of
 * the owner's rights are given back first, also over again while somebody else
 * takes them away.
 */
int fs_open_own_dir(int dirfd, const char *name, int *ret_fd, struct diag *dg);

/*
 * Makes an absolute path and its missing parents, the missing ones with mode.
 * What exists may be reached through symlinks (an XDG directory on another
 * disk); the end of it must be a directory owned by the caller.
 */
int fs_make_path(const char *path, mode_t mode, int *ret_fd, struct diag *dg);

/*
 * Reads a whole regular file of at most max bytes.  A larger one is DIAG_DATA
 * and names the limit; a fifo, socket or directory is an error, not a hang
 * (O_NONBLOCK, then fstat).
 */
int fs_read_file(int dirfd, const char *path, size_t max, struct strbuf *out,
    struct diag *dg);
int fs_read_fd(
    int fd, const char *what, size_t max, struct strbuf *out, struct diag *dg);

/* Writes all of it, over short writes and EINTR. */
int fs_write_all(
    int fd, const void *data, size_t len, const char *what, struct diag *dg);

/*
 * Replaces name, one component in dirfd, with len bytes, or leaves it as it
 * was.  dirfd is open for reading.  After success the contents survive a power
 * cut: data is flushed before the rename and the directory after it.  What a
 * killed process left on its way there is fs_temp_clean()'s (base/fs-temp.h).
 */
int fs_replace_file(int dirfd, const char *name, const void *data, size_t len,
    mode_t mode, struct diag *dg);

/*
 * Removes the tree at name, one component in dirfd, following nothing and
 * staying on its file system; directories without permission are given it
 * first.  Depth costs no stack and few descriptors.  Absent is success.
 * What cannot be removed is named in *dg after everything else is gone.
 */
int fs_remove_tree(int dirfd, const char *name, struct diag *dg);

/*
 * Connects to the unix socket at name in dirfd, also where somebody hostile can
 * write there: a symlink is never followed.  *ret_fd is non-blocking.  Returns
 * 0, or -1 with errno set; a file that is not a socket is ENOTSOCK.
 */
int fs_connect_socket(int dirfd, const char *name, int *ret_fd);

/*
 * The same for all that is in the directory at name, which stays, with its
 * inode.
 */
int fs_empty_dir(int dirfd, const char *name, struct diag *dg);

/*
 * Gives what an O_PATH descriptor shows another mode; no name is looked up
 * again, so no link can be followed; goes by /proc.  Returns 0, or -1 with
 * errno set.
 */
int fs_chmod_fd(int fd, mode_t mode);

/*
 * The path by which the kernel shows what fd holds, returned; it may lead
 * elsewhere by now.  -1 with errno; what has no path here is ENOENT.
 */
int fs_real_path(int fd, char **ret_path);

/* Whether name is one component: not empty, ".", ".." or with a slash. */
bool fs_is_component(const char *name);

/*
 * Copies the tree below src_fd into dst_fd (an empty directory): directories,
 * regular files (copy_file_range) and symlinks as they are; never hard links.
 * Modes keep their user bits and lose group and other write, set-id and
 * sticky bits.  Anything else, or a tree over FS_COPY_DEPTH directories deep,
 * is DIAG_DATA and names the entry.  What was copied before a failure stays.
 * Only what wanted(arg) is true for is copied (NULL: all), asked with the path
 * below src_fd before the entry is opened; nothing below a directory that is
 * not.  Holes stay holes.
 */
#define FS_COPY_DEPTH 64
int fs_copy_wanted(int src_fd, int dst_fd,
    bool (*wanted)(void *arg, const char *path, const struct stat *st),
    void *arg, struct diag *dg);

/*
 * Copies left bytes, or as many as there are, from where in stands to where out
 * stands (both at 0 for a reflink), in the kernel where that is possible.
 */
int fs_copy_bytes(
    int in, int out, off_t left, const char *what, struct diag *dg);

/* A sealed, anonymous file (memfd) with these bytes, offset 0. */
int fs_memfd(const char *name, const void *data, size_t len, int *ret_fd,
    struct diag *dg);

/*
 * Fills buf (of len > 0) with len - 1 characters from [a-z0-9], from
 * getrandom(2), and a terminator.
 */
void fs_random_name(char *buf, size_t len);

/* Whether two stats name the same file. */
bool fs_same(const struct stat *a, const struct stat *b);

#endif /* DRYDOCK_FS_H */
