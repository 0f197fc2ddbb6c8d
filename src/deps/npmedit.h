/* SPDX-License-Identifier: MIT */
/*
 * npmedit: the redirects that a text had and is to have, while npmredirect
 * edits it.
 */
#ifndef DRYDOCK_NPMEDIT_H
#define DRYDOCK_NPMEDIT_H

#include <stddef.h>

#include "deps/jsonedit.h"
#include "deps/npmfragment.h"

struct diag;
struct json;
struct npmredirect;

struct npmedit_entry {
	const struct npmredirect *redirect; /* borrowed */
	struct npmfragment fragment;
	char *key; /* owned; NAME@VERSION */
	char *spec; /* owned; the token "file:PATH" */
	char *integrity; /* owned; the token */
};

struct npmedit_list {
	struct npmedit_entry *v; /* owned */
	size_t nr;
};

struct npmedit {
	const char *what; /* the file's name in messages */
	struct npmedit_list had;
	struct npmedit_list want;
	struct jsonedit changes;
};

#define NPMEDIT_INIT(what, text)                            \
	{                                                   \
		(what), { NULL, 0 }, { NULL, 0 },           \
		    JSONEDIT_INIT((text)->buf, (text)->len) \
	}

/* Parses the fragments: DIAG_DATA. */
int npmedit_open(struct npmedit *e, const struct npmredirect *had, size_t nhad,
    const struct npmredirect *want, size_t nwant, struct diag *dg);
void npmedit_release(struct npmedit *e);

/* Returns the entry of a package, or NULL. */
const struct npmedit_entry *npmedit_find(
    const struct npmedit_list *list, const char *name, const char *version);
/* The entry whose copy a redirect of this name leads to, in any state. */
const struct npmedit_entry *npmedit_find_spec(
    const struct npmedit_list *list, const char *name, const struct json *spec);

/* Redirects or restores the direct dependencies in an object's sections. */
int npmedit_sections(
    struct npmedit *e, const struct json *object, struct diag *dg);

/* Sets DIAG_CONFIG for a redirect of ours that no list has. */
int npmedit_refuse_orphan(
    const struct npmedit *e, const char *name, struct diag *dg);
/* The same for values that are neither ours nor the kept ones. */
int npmedit_refuse_changed(const struct npmedit *e,
    const struct npmedit_entry *entry, struct diag *dg);

#define cleanup_npmedit __attribute__((cleanup(npmedit_release)))

#endif /* DRYDOCK_NPMEDIT_H */
