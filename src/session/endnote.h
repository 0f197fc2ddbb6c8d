/* SPDX-License-Identifier: MIT */
/*
 * endnote: what the holder left in run/ when its command exited by itself.
 *
 * The directory is the agent's, who can write anything there, and end its own
 * session by no more than an exit: so the note tells one end from another and
 * is never taken for an end.
 */
#ifndef DRYDOCK_ENDNOTE_H
#define DRYDOCK_ENDNOTE_H

struct diag;

/*
 * *ret_status: the status that it has, 1 to 255; 0: there is none, or something
 * else lies in its place.  A failure to read one is a failure.
 */
int endnote_read(int session_fd, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_ENDNOTE_H */
