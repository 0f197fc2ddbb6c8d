/* SPDX-License-Identifier: MIT */
/* subids: parses USER:FIRST:COUNT lines. */
#include "engine/subids.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/slurp.h"

#define FILE_MAX ((size_t)1 << 20)
/* mmdebstrap(1): one for each id of a Debian system */
#define NEEDED 65536
/* login.defs(5), SUB_UID_MIN */
#define FIRST_FREE 100000

uint64_t
subids_count(
    const char *text, const char *user, unsigned int uid, uint64_t *ret_free)
{
	cleanup_free char *number = xasprintf("%u", uid);
	uint64_t largest = 0;

	*ret_free = FIRST_FREE;
	for (const char *at = text; *at != '\0';) {
		size_t len = strcspn(at, ":\n");
		char *end = NULL;
		uint64_t first;
		uint64_t count;

		if (at[len] == ':') {
			first = strtoull(at + len + 1, &end, 10);
			count = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
			if (first + count > *ret_free)
				*ret_free = first + count;
			if (((len == strlen(user) &&
				 strncmp(at, user, len) == 0) ||
				(len == strlen(number) &&
				    strncmp(at, number, len) == 0)) &&
			    count > largest)
				largest = count;
		}
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return largest;
}

static bool
has_enough(const char *path, const struct paths *paths, uint64_t *ret_free)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	(void)slurp_text(path, FILE_MAX, &text);
	return subids_count(text.buf, paths->user, paths->uid, ret_free) >=
	    NEEDED;
}

int
subids_check(const struct paths *paths, struct diag *dg)
{
	cleanup_free char *newuidmap = NULL;
	uint64_t uids;
	uint64_t gids;
	bool has_uids;
	bool has_gids;

	if (paths->uid == 0)
		return 0;
	newuidmap = program_find_system("newuidmap");
	if (newuidmap == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "--bootstrap needs newuidmap unless root runs it: install "
		    "it with \"sudo apt-get install uidmap\"");
	has_uids = has_enough("/etc/subuid", paths, &uids);
	has_gids = has_enough("/etc/subgid", paths, &gids);
	if (has_uids && has_gids)
		return 0;
	return diag_set(dg, DIAG_ENGINE,
	    "--bootstrap needs %d subordinate ids unless root runs it, and %s "
	    "has fewer for %s: add them with \"sudo usermod --add-subuids "
	    "%" PRIu64 "-%" PRIu64 " --add-subgids %" PRIu64 "-%" PRIu64
	    " %s\"",
	    NEEDED, has_uids ? "/etc/subgid" : "/etc/subuid", paths->user, uids,
	    uids + NEEDED - 1, gids, gids + NEEDED - 1, paths->user);
}
