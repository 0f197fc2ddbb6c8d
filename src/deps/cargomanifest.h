/* SPDX-License-Identifier: MIT */
/*
 * cargomanifest: the managed block of a root Cargo.toml, which leads cargo to
 * the patched copies of crates.
 *
 * The block stands at the end of the text.  A comment line begins it, and a
 * comment behind its last value ends it.  All bytes outside of it are the
 * user's.  Removing the block gives these bytes back exactly, also without a
 * newline at their end.  The block uses the line ends of the text (LF or CRLF).
 * Other lines in it are refused, so that they are not lost.
 *
 * Cargo.toml is hostile input.  A text that cannot be judged is refused:
 * DIAG_DATA if it is malformed or the block is not as it was written,
 * DIAG_CONFIG if the user's own [patch] conflicts.
 */
#ifndef DRYDOCK_CARGOMANIFEST_H
#define DRYDOCK_CARGOMANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"

struct diag;
struct strbuf;

#define CARGOMANIFEST_MAX_SIZE ((size_t)4 * 1024 * 1024)

struct cargomanifest_patch {
	const char *name; /* borrowed; of the crate */
	const char *path; /* borrowed; of its copy, below the project */
};

/*
 * Appends to out the text with a block for these patches instead of the block
 * that it has; without a block if nr is 0.  The same patches in the same order
 * give the same bytes.  Each name occurs once, and names and paths consist of
 * letters, digits and "-_+./".
 */
int cargomanifest_set(const char *text, size_t len,
    const struct cargomanifest_patch *patches, size_t nr, struct strbuf *out,
    struct diag *dg);

enum cargomanifest_state {
	CARGOMANIFEST_NONE, /* no block */
	CARGOMANIFEST_OURS, /* exactly as cargomanifest_set() writes it */
	CARGOMANIFEST_FOREIGN, /* changed, cut off, or there twice */
};

struct cargomanifest_block {
	enum cargomanifest_state state;
	struct cargomanifest_patch *v; /* owned; none unless OURS */
	size_t nr;
	struct strvec strings; /* what v borrows */
};

#define CARGOMANIFEST_BLOCK_INIT                         \
	{                                                \
		CARGOMANIFEST_NONE, NULL, 0, STRVEC_INIT \
	}

/*
 * What wins over the block, so that cargo silently takes another crate or the
 * original: a [patch] of any source for the same crate, also with package =
 * "NAME" under another key; package.workspace, which leads to another root; in
 * .cargo/config.toml also "paths", "include" (these files are not read), and
 * resolver.lockfile-path.  [replace] makes cargo fail.
 */
struct cargomanifest_conflicts {
	const struct cargomanifest_patch *patches; /* borrowed; the names */
	size_t nr; /* 0: nothing is a conflict */
	/* name: of the crate, or NULL for all; may come twice */
	void (*found)(void *arg, const char *name, const char *why);
	void *arg;
};

/*
 * Reads the block, and tells the conflicts outside of it.  conflicts may be
 * NULL.  A text that is malformed outside of the block is DIAG_DATA.  ret_block
 * is CARGOMANIFEST_BLOCK_INIT before.
 */
int cargomanifest_read(const char *text, size_t len,
    const struct cargomanifest_conflicts *conflicts,
    struct cargomanifest_block *ret_block, struct diag *dg);
void cargomanifest_block_release(struct cargomanifest_block *block);

/*
 * Tells the conflicts in a .cargo/config.toml; conflicts has one patch at least.
 * what is the file's name in messages.
 */
int cargomanifest_judge_config(const char *text, size_t len, const char *what,
    const struct cargomanifest_conflicts *conflicts, struct diag *dg);

/* Returns true if the text has a block's begin, also if it is malformed. */
bool cargomanifest_has_mark(const char *text, size_t len);

#define cleanup_cargomanifest_block \
	__attribute__((cleanup(cargomanifest_block_release)))

#endif /* DRYDOCK_CARGOMANIFEST_H */
