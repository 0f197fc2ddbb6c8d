/* SPDX-License-Identifier: MIT */
/*
 * patchledger: .drydock/patches.json, which records the patched packages of a
 * project.
 *
 *	{"version": 1, "patches": [{
 *	    "ecosystem": "cargo", "name": "foo", "version": "1.0.0",
 *	    "pristine": "sha256:HEX", "patch": "sha256:HEX",
 *	    "tree": "sha256:HEX", "lock": "[[package]]\n..."}]}
 *
 * An entry of npm has "sha512:HEX" as "pristine", and one more key:
 * "integrity", "sha512-BASE64" as package-lock.json writes it, of the copy's
 * package file.
 *
 * The file is committed, so people merge it and agents write it: it is hostile
 * input.  The reader accepts exactly these keys.  Names and versions are parts
 * of file names: at most 100 letters, digits and "-_.+", not ".", "..", and no
 * leading '-' or '.'.  A name of npm may have a scope, "@scope/name", and has
 * no '+': file names have one for the '/'.  Refused among others: an entry that
 * occurs twice, two entries with the same copy, a digest that is not lower-case
 * hex digits, more than PATCHLEDGER_MAX entries.
 */
#ifndef DRYDOCK_PATCHLEDGER_H
#define DRYDOCK_PATCHLEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"

struct diag;
struct strbuf;

#define PATCHLEDGER_PATH ".drydock/patches.json"
/* Below each is a directory for every ecosystem. */
#define PATCHLEDGER_PATCHES ".drydock/patches"
#define PATCHLEDGER_COPIES ".drydock/patched"
#define PATCHLEDGER_MAX_SIZE ((size_t)16 * 1024 * 1024)
#define PATCHLEDGER_MAX 1000
#define PATCHLEDGER_CARGO "cargo"
#define PATCHLEDGER_NPM "npm"

struct patchledger_entry {
	char *ecosystem; /* owned */
	char *name; /* owned */
	char *version; /* owned */
	struct digest pristine; /* of the original package file, as locked */
	struct digest patch; /* SHA-256 of the patch file */
	struct digest tree; /* SHA-256 of the copy's list, see patchtree.h */
	char *fragment; /* owned; the lock file's original entry */
	/* SHA-512 of the copy's package file, or DIGEST_NONE: cargo's has none */
	struct digest integrity;
};

struct patchledger {
	struct patchledger_entry *v; /* owned; by ecosystem, name, version */
	size_t nr;
};

#define PATCHLEDGER_INIT \
	{                \
		NULL, 0  \
	}

/*
 * Parses a text.  ret_ledger is PATCHLEDGER_INIT before, and stays so on
 * failure.  A malformed text, and one that a newer version of drydock wrote,
 * is DIAG_DATA.
 */
int patchledger_parse(struct patchledger *ret_ledger, const char *text,
    size_t len, struct diag *dg);
void patchledger_release(struct patchledger *ledger);

/*
 * Reads the ledger of a project; one that is absent is empty.  That .drydock is
 * no directory is a failure (ENOTDIR).  So is an entry that cannot be used:
 * DIAG_CONFIG for an ecosystem that is not implemented, DIAG_DATA for a kept
 * lock entry that is not the package's.
 */
int patchledger_read(
    int project_fd, struct patchledger *ret_ledger, struct diag *dg);

/*
 * Appends the document.  The same entries give the same bytes.  More than the
 * reader accepts is DIAG_CONFIG; a fragment that is not UTF-8 is DIAG_DATA.
 */
int patchledger_write(
    const struct patchledger *ledger, struct strbuf *out, struct diag *dg);

/*
 * Returns the entry, or NULL.  ecosystem and version may be NULL: the entry of
 * that name, and NULL if there are several.
 */
struct patchledger_entry *patchledger_find(const struct patchledger *ledger,
    const char *ecosystem, const char *name, const char *version);

/*
 * Adds an entry (given: its strings) at its place, or replaces the old one.
 * *entry is empty afterwards.
 */
void patchledger_put(
    struct patchledger *ledger, struct patchledger_entry *entry);
void patchledger_drop(
    struct patchledger *ledger, struct patchledger_entry *entry);

/* Returns the entries of one ecosystem; they are borrowed. */
struct patchledger patchledger_part(
    const struct patchledger *ledger, const char *ecosystem);

/* Returns true if the text can be a version, or a name, in a ledger. */
bool patchledger_is_word(const char *text);
bool patchledger_is_name(const char *ecosystem, const char *text);

/* Returned: "NAME@VERSION", a file name: "@scope+name@1.0.0" */
char *patchledger_file_name(const struct patchledger_entry *entry);

/*
 * Splits NAME@VERSION, or NAME alone (*ret_version is NULL then; both are
 * returned).  Accepts the name as file names have it, too.  Returns false for
 * any other text; ecosystem may be NULL: that of any.
 */
bool patchledger_split(const char *ecosystem, const char *text, char **ret_name,
    char **ret_version);

/* Returned: ".drydock/patches/cargo/NAME@VERSION.patch" */
char *patchledger_patch_path(const struct patchledger_entry *entry);

/*
 * Returned: ".drydock/patched/cargo/NAME-VERSION-HEX", with the first 12 hex
 * digits of the patch's digest.
 */
char *patchledger_copy_path(const struct patchledger_entry *entry);

#define cleanup_patchledger __attribute__((cleanup(patchledger_release)))

#endif /* DRYDOCK_PATCHLEDGER_H */
