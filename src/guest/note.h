/* SPDX-License-Identifier: MIT */
/*
 * note: what the holder leaves in run/ when its command has ended.
 *
 * The note alone makes an end: without it whatever the container's status says
 * is a session that can go on.  The directory is the command's own to write, so
 * a command can take away or forge its own end, and nobody else's.
 */
#ifndef DRYDOCK_NOTE_H
#define DRYDOCK_NOTE_H

#include <stddef.h>

struct note {
	int dir_fd; /* owned; -1: there can be no note */
	int fd; /* owned; the file, made before the command runs, or -1 */
};

/*
 * Removes the note of an earlier start and makes the file, which says nothing
 * yet: the end needs no room on a disk that is full by then.  A directory that
 * cannot be written makes a note that stays absent.
 */
void note_start(struct note *note, const char *run_dir);

/* Writes the status, 0 to 255.  Changed modes and a removed file are mended. */
void note_end(struct note *note, unsigned int status);

/*
 * Leaves a file beside the note, in two parts, for whoever tells of the end.
 * Where that fails there is none.
 */
void note_leave(struct note *note, const char *name, const char *head,
    const void *data, size_t len);

void note_release(struct note *note);

#endif /* DRYDOCK_NOTE_H */
