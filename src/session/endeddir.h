/* SPDX-License-Identifier: MIT */
/*
 * endeddir: names in the state directory of what is left of ended sessions.
 * ENDED_DIR has files and directories named by a session's id and a suffix.
 */
#ifndef DRYDOCK_ENDEDDIR_H
#define DRYDOCK_ENDEDDIR_H

#define ENDED_DIR "ended"
#define ENDED_OUTCOME ".json" /* outcome.h */
#define ENDED_WATCHED ".watched" /* changes.h */
#define ENDED_KEPT ".kept" /* a directory; restore.h */

#endif /* DRYDOCK_ENDEDDIR_H */
