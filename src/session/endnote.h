/* SPDX-License-Identifier: MIT */
/*
 * endnote: the holder's note in run/ that the command has ended.
 *
 * The agent can write to run/.  An agent that forges a note ends its own
 * session, as it could by exiting.  An agent that removes the note, or puts
 * something else in its place, keeps its session from counting as ended.  Read
 * permission that the agent removed is restored.
 */
#ifndef DRYDOCK_ENDNOTE_H
#define DRYDOCK_ENDNOTE_H

#include <stdbool.h>

struct diag;

/*
 * Reads the note.  *ret_noted is true when the note exists and has a status, 0
 * to 255, in *ret_status.  Anything else at its place counts as no note.  An
 * existing note that cannot be read is a failure.
 */
int endnote_read(
    int session_fd, bool *ret_noted, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_ENDNOTE_H */
