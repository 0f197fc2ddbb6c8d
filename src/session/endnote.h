/* SPDX-License-Identifier: MIT */
/*
 * endnote: the holder's note in run/ that the command has ended.
 *
 * The directory is the agent's to write.  An agent that forges a note ends its
 * own session, as it could by exiting; one that removes the note or takes its
 * rights away keeps its session from counting as ended.
 */
#ifndef DRYDOCK_ENDNOTE_H
#define DRYDOCK_ENDNOTE_H

#include <stdbool.h>

struct diag;

/*
 * *ret_noted: the note is there and has a status, *ret_status, 0 to 255.
 * Anything else in its place is no note.  A failure to read one is a failure.
 */
int endnote_read(
    int session_fd, bool *ret_noted, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_ENDNOTE_H */
