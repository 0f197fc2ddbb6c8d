/* SPDX-License-Identifier: MIT */
/*
 * note: the file that the holder writes to run/ when its command has ended.
 *
 * Only the note marks the session as ended.  Without a note the session can be
 * continued, whatever the container's status is.  The command can write to the
 * directory, so that it can remove or forge the note of its own end, but of no
 * other session.
 */
#ifndef DRYDOCK_NOTE_H
#define DRYDOCK_NOTE_H

#include <stddef.h>

struct note {
	int dir_fd; /* owned; -1: no note is possible */
	int fd; /* owned; created before the command runs, or -1 */
};

/*
 * Removes the note of an earlier start and creates the file, still without a
 * status, so that the end can be written to a full disk.  In a directory that
 * is not writable no note is created.
 */
void note_start(struct note *note, const char *run_dir);

/* Writes the status, 0 to 255.  Restores changed modes and a removed file. */
void note_end(struct note *note, unsigned int status);

/*
 * Writes a file beside the note: head, then data.  drydock reports it with the
 * end.  On a failure there is no such file.
 */
void note_leave(struct note *note, const char *name, const char *head,
    const void *data, size_t len);

void note_release(struct note *note);

#endif /* DRYDOCK_NOTE_H */
