/* SPDX-License-Identifier: MIT */
/* Builds the list of refused hosts from the proxy's log, and prints it. */
#include "session/refused.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/refusal.h"
#include "host/allowlist.h"
#include "host/paths.h"
#include "plan/role.h"
#include "session/allowed.h"
#include "session/egress.h"

/* In the session's directory: the reported hosts, one a line. */
#define TOLD_NAME "refused-told"
#define TOLD_MAX ((size_t)REFUSED_MAX * (REFUSED_NAME_MAX + 1))

void
refused_add(struct refused *r, const char *name, bool allowable, int64_t n)
{
	for (size_t i = 0; i < r->nr; i++) {
		if (strncmp(r->v[i].name, name, REFUSED_NAME_MAX) != 0)
			continue;
		r->v[i].count += n;
		return;
	}
	if (r->nr == REFUSED_MAX) {
		r->more += n;
		return;
	}
	r->v = xreallocarray(r->v, r->nr + 1, sizeof(*r->v));
	r->v[r->nr++] = (struct refused_host){
		xstrndup(name, strnlen(name, REFUSED_NAME_MAX)), n,
		allowable && strlen(name) <= REFUSED_NAME_MAX, false
	};
}

static void
add_request(struct refused *r, const char *method, const char *target)
{
	cleanup_allow_entry struct allow_entry entry = { .host = NULL };
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	const char *scheme = strstr(target, "://");
	const char *host = scheme != NULL ? scheme + 3 : target;
	cleanup_free char *cut = NULL;

	if (strcmp(target, REFUSAL_PROBE) == 0)
		return;
	if (allow_entry_of_request(&entry, method, target)) {
		allow_entry_print(&entry, &line);
		refused_add(r, line.buf, true, 1);
		return;
	}
	/* Cut a URL after its host: the rest may be long or secret. */
	cut = xstrndup(target,
	    (size_t)(host - target) +
		(scheme != NULL ? strcspn(host, "/?#") : strlen(host)));
	refused_add(r, cut, false, 1);
}

bool
refused_is_refusal(const char *status, const char *result)
{
	return strcmp(status, "403") == 0 &&
	    (result == NULL || strstr(result, "DENIED") != NULL);
}

void
refused_parse(struct refused *r, const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *at = text; at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		cleanup_free char *line =
		    xstrndup(at, (size_t)((eol != NULL ? eol : end) - at));
		char *rest = line;
		char *word[5] = { NULL };

		for (size_t i = 0; i < ARRAY_SIZE(word); i++)
			word[i] = strsep(&rest, " ");
		if (word[3] != NULL && refused_is_refusal(word[1], word[4]))
			add_request(r, word[2], word[3]);
		at = eol != NULL ? eol + 1 : end;
	}
}

/* Marks the hosts that an earlier attach reported. */
static void
mark_told(struct refused *r, int session_fd)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *line;

	if (fs_read_file(session_fd, TOLD_NAME, TOLD_MAX, &text, &ignored) != 0)
		return;
	for (char *rest = text.buf; (line = strsep(&rest, "\n")) != NULL;)
		for (size_t i = 0; i < r->nr; i++)
			if (strcmp(r->v[i].name, line) == 0)
				r->v[i].told = true;
}

int
refused_read(struct refused *r, int session_fd, struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(session_fd, mount_roles[MOUNT_PROXY_LOG].below,
		O_RDONLY | O_DIRECTORY, 0, &fd, &mine) != 0) {
		if (mine.errnum == ENOENT)
			return 0;
	} else if (egress_read_requests(fd, &text, &mine) == 0) {
		refused_parse(r, text.buf, text.len);
		mark_told(r, session_fd);
		return 0;
	}
	r->unknown = true;
	return diag_move(dg, &mine);
}

void
refused_describe(const struct refused *r, bool allowable, struct strbuf *out)
{
	for (size_t i = 0; i < r->nr; i++) {
		const struct refused_host *h = &r->v[i];

		if (h->allowable != allowable)
			continue;
		if (out->len > 0)
			strbuf_addstr(out, ", ");
		strbuf_addstr(out, h->name);
		if (h->count > 1)
			strbuf_addf(out, " (%" PRId64 " times)", h->count);
	}
}

/*
 * Reports hosts that the allowlist has by name: the proxy refused their
 * address.  Marks them as reported (count 0).  Without a list that can be read,
 * it is unknown whether a new line would help: reports the other hosts, too.
 */
static void
tell_listed(struct refused *left, const struct paths *paths,
    const char *project, const char *agent)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag why = DIAG_INIT;

	if (allowed_load(paths, project, agent, NULL, &list, &why) != 0) {
		cleanup_strbuf struct strbuf hosts = STRBUF_INIT;

		refused_describe(left, true, &hosts);
		if (hosts.len > 0)
			diag_note("the proxy refused %s; whether the allowlist "
				  "has them is unknown: %s",
			    hosts.buf, why.message);
		for (size_t i = 0; i < left->nr; i++)
			if (left->v[i].allowable)
				left->v[i].count = 0;
		return;
	}
	for (size_t i = 0; i < left->nr; i++) {
		struct refused_host *h = &left->v[i];
		const struct allow_entry *e =
		    h->allowable ? allowlist_find_line(&list, h->name) : NULL;

		if (e == NULL)
			continue;
		diag_note("the proxy refused %s, although it is on the "
			  "allowlist: its address %s, or the line is newer "
			  "than the request",
		    h->name,
		    e->private_ok ? "is always refused"
				  : "needs \"drydock allow --private\"");
		h->allowable = false;
		h->count = 0;
	}
}

static void
keep_told(struct refused *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->nr; i++) {
		if (r->v[i].count == 0)
			free(r->v[i].name);
		else
			r->v[kept++] = r->v[i];
	}
	r->nr = kept;
}

void
refused_tell(const struct refused *refused, const struct paths *paths,
    const char *project, const char *agent)
{
	cleanup_refused struct refused r = REFUSED_INIT;
	cleanup_strbuf struct strbuf hosts = STRBUF_INIT;
	cleanup_strbuf struct strbuf others = STRBUF_INIT;
	cleanup_strbuf struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < refused->nr; i++)
		if (!refused->v[i].told)
			refused_add(&r, refused->v[i].name,
			    refused->v[i].allowable, refused->v[i].count);
	if (r.nr == 0)
		return;
	tell_listed(&r, paths, project, agent);
	keep_told(&r);
	refused_describe(&r, true, &hosts);
	refused_describe(&r, false, &others);
	/* Our own parser accepted the names of the allowable hosts. */
	for (size_t i = 0; i < r.nr; i++)
		if (r.v[i].allowable) {
			strbuf_addch(&names, ' ');
			strbuf_add_shell_quoted(&names, r.v[i].name);
		}
	if (names.len > 0)
		diag_note("the proxy refused %s; to allow what you trust, type "
			  "in %s: drydock allow%s",
		    hosts.buf, project, names.buf);
	if (others.len > 0)
		diag_note("the proxy refused %s, which no line of the "
			  "allowlist can allow",
		    others.buf);
	if (refused->more > 0)
		diag_note("the proxy refused %" PRId64
			  " more requests, to other hosts",
		    refused->more);
}

void
refused_tell_new(int session_fd, const struct paths *paths, const char *project,
    const char *agent)
{
	cleanup_refused struct refused r = REFUSED_INIT;
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag unread = DIAG_INIT;
	bool any = false;

	if (refused_read(&r, session_fd, &unread) != 0)
		diag_warn("the hosts that the proxy refused are unknown: %s",
		    unread.message);
	for (size_t i = 0; i < r.nr; i++) {
		any = any || !r.v[i].told;
		strbuf_addf(&names, "%s\n", r.v[i].name);
	}
	if (!any)
		return;
	refused_tell(&r, paths, project, agent);
	if (fs_replace_file(
		session_fd, TOLD_NAME, names.buf, names.len, 0600, &dg) != 0)
		diag_warn(
		    "these refusals will be reported again: %s", dg.message);
}

void
refused_release(struct refused *r)
{
	for (size_t i = 0; i < r->nr; i++)
		free(r->v[i].name);
	free(r->v);
	*r = (struct refused)REFUSED_INIT;
}
