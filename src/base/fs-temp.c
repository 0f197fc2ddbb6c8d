/* SPDX-License-Identifier: MIT */
/*
 * Random names, and temporary files: the writer's lock protects its file from
 * removal.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strvec.h"

#define SUFFIX_LEN 12

enum {
	TRIES = 16
};

void
fs_random_name(char *buf, size_t len)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const unsigned int n = sizeof(alphabet) - 1;
	size_t done = 0;

	assert(len > 0);
	while (done < len - 1) {
		unsigned char bytes[32];
		ssize_t got = getrandom(bytes, sizeof(bytes), 0);

		if (got < 0 && errno != EINTR)
			abort(); /* every kernel with openat2 has it */
		for (ssize_t i = 0; i < got && done < len - 1; i++) {
			/* Skipping the last values avoids modulo bias. */
			if (bytes[i] < 256 / n * n)
				buf[done++] = alphabet[bytes[i] % n];
		}
	}
	buf[done] = '\0';
}

/* Locks the file.  Returns false if a cleaner locked or removed it first. */
static bool
keep(int fd)
{
	struct stat st;

	/* Without lock support, a cleaner cannot take the lock either. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return false;
	return fstat(fd, &st) < 0 || st.st_nlink > 0;
}

int
fs_temp_create(int dirfd, const char *name, char ret_temp[FS_TEMP_SIZE],
    int *ret_fd, struct diag *dg)
{
	char random[SUFFIX_LEN + 1];

	for (int i = 0; i < TRIES; i++) {
		cleanup_close int fd = -1;

		fs_random_name(random, sizeof(random));
		(void)snprintf(
		    ret_temp, FS_TEMP_SIZE, ".%.200s.%s", name, random);
		fd = openat(dirfd, ret_temp,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "create %s", name);
		if (keep(fd)) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
		(void)unlinkat(dirfd, ret_temp, 0);
	}
	return diag_set(
	    dg, DIAG_BUSY, "create %s: its temporary files are removed", name);
}

static bool
is_temp(const char *entry, const char *name)
{
	char prefix[FS_TEMP_SIZE];
	int len = snprintf(prefix, sizeof(prefix), ".%.200s.", name);

	return strncmp(entry, prefix, (size_t)len) == 0 &&
	    strlen(entry) == (size_t)len + SUFFIX_LEN;
}

static void
remove_unlocked(int dirfd, const char *entry)
{
	cleanup_close int fd = openat(dirfd, entry,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat opened;
	struct stat there;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) &&
	    fstatat(dirfd, entry, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fs_same(&opened, &there))
		(void)unlinkat(dirfd, entry, 0);
}

/* A file that cannot be read or removed does no harm; the next call retries. */
void
fs_temp_clean(int dirfd, const char *name)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (fs_list_names(dirfd, name, &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.nr; i++)
		if (is_temp(names.v[i], name))
			remove_unlocked(dirfd, names.v[i]);
}
