/* SPDX-License-Identifier: MIT */
/*
 * npmpackage: the tarball of an npm package, and the one that drydock makes of
 * a patched package.
 *
 * npm takes the first component off the name of each entry, whatever it is.
 * Sources are the host user's own cache and slots that sessions wrote: all are
 * hostile input.  The bytes are read once; the digest is computed from the
 * bytes that are unpacked.
 */
#ifndef DRYDOCK_NPMPACKAGE_H
#define DRYDOCK_NPMPACKAGE_H

#include <stddef.h>

struct diag;
struct digest;
struct package_sources;
struct patchtree;
struct strbuf;
struct strvec;

#define NPMPACKAGE_FILE "package.tar"
#define NPMPACKAGE_MANIFEST "package.json"
#define NPMPACKAGE_MANIFEST_MAX ((size_t)4 * 1024 * 1024)

/*
 * Reads the tarball that has this SHA-512 from npm's caches and appends its
 * bytes.  Other bytes at its place are a warning, and the next source is tried.
 * If no source has the tarball, the failure is DIAG_NO; the message says how to
 * get it in a session.
 */
int npmpackage_find(const struct package_sources *sources, const char *name,
    const char *version, const struct digest *integrity, struct strbuf *out,
    struct diag *dg);

/*
 * Unpacks the files into dir_fd as packagetar_unpack() does.  Executable files
 * are 0755.  npm skips links; here they are refused.
 */
int npmpackage_unpack(const char *bytes, size_t len, const char *name,
    const char *version, int dir_fd, struct diag *dg);

/*
 * Writes NPMPACKAGE_FILE, a tar of the tree below tree_fd, which nobody else
 * writes, into out_fd (an empty directory).  The same tree and the same modes
 * give the same bytes everywhere: ustar, not compressed, the files alone, below
 * package/, in the tree's order, with one owner and one time.  A name that is
 * not ASCII or longer than 100 bytes is in a pax header.  A file is executable
 * if the file of the same path below modes_fd is.
 */
int npmpackage_pack(int tree_fd, const struct patchtree *tree, int modes_fd,
    int out_fd, struct digest *ret_integrity, struct diag *dg);

/*
 * Judges how a patch changes the package.json of its package.  The project's
 * lock was made with the original, so a patch may not change what npm resolves
 * or what the lock records.  These parts cannot change that, and are free:
 *
 *	author browser bugs contributors description devDependencies exports
 *	files homepage imports jsdelivr jsnext:main keywords main maintainers
 *	man module publishConfig react-native readme repository sideEffects
 *	style svelte type types typesVersions typings unpkg, and scripts but
 *	those that npm runs when it installs
 *
 * All other keys must have equal values.  A change that is not permitted is
 * DIAG_CONFIG; the message names the package (what, "foo 1.0.0") and the first
 * such key.  A text that cannot be judged is DIAG_DATA.
 */
int npmpackage_compare(const char *before, size_t before_len, const char *after,
    size_t after_len, const char *what, struct diag *dg);

/*
 * Judges the names of the files that a patch changes.  The package's own
 * npm-shrinkwrap.json, and packages below node_modules/, change what npm
 * resolves: DIAG_CONFIG.
 */
int npmpackage_judge_names(
    const struct strvec *names, const char *what, struct diag *dg);

#endif /* DRYDOCK_NPMPACKAGE_H */
