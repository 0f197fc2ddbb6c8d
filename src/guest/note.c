/* SPDX-License-Identifier: MIT */
/* The note of the command's end, a file in run/. */
#include "guest/note.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guest/wire.h"

/* As long as a status, and not a valid status for a reader. */
static const char no_status[] = "---\n";
#define NOTE_LEN ((ssize_t)sizeof(no_status) - 1)

/* Removes what an earlier start left, or the command planted. */
static void
clear_name(const struct note *note, const char *name)
{
	if (unlinkat(note->dir_fd, name, 0) == -1)
		(void)unlinkat(note->dir_fd, name, AT_REMOVEDIR);
}

static int
create(const struct note *note, const char *name)
{
	return openat(note->dir_fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static bool
put(int fd, const char *text)
{
	return pwrite(fd, text, (size_t)NOTE_LEN, 0) == NOTE_LEN;
}

static void
make(struct note *note, const char *text)
{
	cleanup_close_fn(&note->fd);
	clear_name(note, WIRE_END_NAME);
	note->fd = create(note, WIRE_END_NAME);
	if (note->fd != -1 && !put(note->fd, text)) {
		cleanup_close_fn(&note->fd);
		clear_name(note, WIRE_END_NAME);
	}
}

void
note_start(struct note *note, const char *run_dir)
{
	note->fd = -1;
	note->dir_fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (note->dir_fd == -1)
		return;
	clear_name(note, WIRE_SCREEN_NAME);
	clear_name(note, WIRE_LIMITS_NAME);
	make(note, no_status);
}

/* Returns true if the name still leads to the file that was created. */
static bool
is_in_place(const struct note *note)
{
	struct stat ours;
	struct stat there;
	return note->fd != -1 && fstat(note->fd, &ours) == 0 &&
	    fstatat(note->dir_fd, WIRE_END_NAME, &there, AT_SYMLINK_NOFOLLOW) ==
	    0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void
note_end(struct note *note, unsigned int status)
{
	char text[sizeof("4294967295\n")];
	if (note->dir_fd == -1)
		return;
	(void)snprintf(text, sizeof(text), "%03u\n", status);
	(void)fchmod(note->dir_fd, 0700);
	if (note->fd != -1)
		(void)fchmod(note->fd, 0600);
	if (!is_in_place(note) || !put(note->fd, text))
		make(note, text);
}

void
note_leave(struct note *note, const char *name, const char *head,
    const void *data, size_t len)
{
	size_t nhead = strlen(head);
	cleanup_close int fd = -1;
	if (note->dir_fd == -1)
		return;
	(void)fchmod(note->dir_fd, 0700);
	clear_name(note, name);
	fd = create(note, name);
	if (fd != -1 &&
	    (write(fd, head, nhead) != (ssize_t)nhead ||
		write(fd, data, len) != (ssize_t)len))
		clear_name(note, name);
}

void
note_release(struct note *note)
{
	cleanup_close_fn(&note->fd);
	cleanup_close_fn(&note->dir_fd);
}
