/* SPDX-License-Identifier: MIT */
/* egress: shows what a session's proxy and ssh agent allowed and refused. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "cmd/sessions.h"
#include "guest/refusal.h"
#include "host/allowlist.h"
#include "host/project.h"
#include "host/text.h"
#include "session/allowed.h"
#include "session/attach.h"
#include "session/companion.h"
#include "session/egress.h"
#include "session/endnote.h"
#include "session/refused.h"
#include "session/signatures.h"

enum {
	HOSTS_MAX = 1000, /* listed hosts */
	SIGNATURES_MAX = 1000, /* listed ones that differ */
	FOLLOW_MS = 250,
	HOLDER_MS = 1000,
	TAIL = 4096,
};

struct egress_options {
	bool follow;
	bool json;
};

/* One request, or the requests for one host that had the same outcome. */
struct request {
	char *host; /* owned; the host as a line, or the target as asked */
	const char *outcome; /* static text */
	bool allowable; /* host can be a line of an allowlist */
	bool by_address; /* refused only because of its address */
	int64_t first, last; /* seconds since 1970 */
	int64_t count;
};

struct requests {
	struct request *v; /* owned */
	size_t nr;
	int64_t more; /* requests for hosts beyond HOSTS_MAX */
};

static void
requests_release(struct requests *r)
{
	for (size_t i = 0; i < r->nr; i++)
		free(r->v[i].host);
	free(r->v);
	*r = (struct requests){ NULL, 0, 0 };
}

#define cleanup_requests __attribute__((cleanup(requests_release)))

/* The inputs of the commands that open hosts. */
struct offer {
	struct allowlist list; /* what the session may reach now */
	struct strbuf command; /* ends with a blank; empty: no command */
};

#define OFFER_INIT                          \
	{                                   \
		ALLOWLIST_INIT, STRBUF_INIT \
	}

static void
offer_release(struct offer *offer)
{
	allowlist_release(&offer->list);
	strbuf_release(&offer->command);
}

#define cleanup_offer __attribute__((cleanup(offer_release)))

/*
 * Reads "TIME STATUS METHOD TARGET [RESULT [PAGE]]".  Returns false for other
 * lines.
 */
static bool
parse_request(const char *line, struct request *ret_request)
{
	cleanup_allow_entry struct allow_entry entry = { .host = NULL };
	cleanup_free char *copy = xstrdup(line);
	cleanup_strbuf struct strbuf host = STRBUF_INIT;
	char *rest = copy;
	char *word[6] = { NULL };
	bool refused;

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		word[i] = strsep(&rest, " ");
	/*
	 * The proxy logs a connection without a request, as drydock's own test
	 * that it listens.
	 */
	if (word[3] == NULL || strcmp(word[3], REFUSAL_PROBE) == 0 ||
	    strcmp(word[3], "error:transaction-end-before-headers") == 0 ||
	    *word[0] < '0' || *word[0] > '9')
		return false;
	refused = refused_is_refusal(word[1], word[4]);
	*ret_request = (struct request){ .count = 1 };
	ret_request->by_address =
	    word[5] != NULL && strcmp(word[5], REFUSAL_LOG_ADDRESS) == 0;
	ret_request->outcome = refused ? "refused"
	    : *word[1] == '2' || *word[1] == '3' ||
		(*word[1] == '4' && word[4] != NULL &&
		    strstr(word[4], "NONE") == NULL)
	    ? "allowed"
	    : "failed";
	ret_request->first = ret_request->last = strtoll(word[0], NULL, 10);
	ret_request->allowable =
	    allow_entry_of_request(&entry, word[2], word[3]);
	if (ret_request->allowable)
		allow_entry_print(&entry, &host);
	else
		strbuf_addstr(&host, word[3]);
	ret_request->host = strbuf_detach(&host, NULL);
	return true;
}

/* Adds one request.  *request is given. */
static void
add_request(struct requests *r, struct request *request)
{
	for (size_t i = 0; i < r->nr; i++) {
		struct request *old = &r->v[i];

		if (strcmp(old->host, request->host) != 0 ||
		    old->outcome != request->outcome)
			continue;
		old->last = request->last;
		old->by_address = request->by_address;
		old->count++;
		free(request->host);
		return;
	}
	if (r->nr == HOSTS_MAX) {
		r->more++;
		free(request->host);
		return;
	}
	r->v = xreallocarray(r->v, r->nr + 1, sizeof(*r->v));
	r->v[r->nr++] = *request;
}

static void
add_time(struct strbuf *out, int64_t seconds)
{
	cleanup_free char *text = moment_text((time_t)seconds);

	strbuf_addstr(out, text != NULL ? text : "-");
}

/* Appends the command that opens a refused host, if there is one. */
static void
add_command(
    const struct offer *offer, const struct request *r, struct strbuf *out)
{
	const struct allow_entry *e;

	if (!r->allowable || strcmp(r->outcome, "refused") != 0 ||
	    offer->command.len == 0)
		return;
	e = allowlist_find_line(&offer->list, r->host);
	/* The host is open now, or its address is always refused. */
	if (e != NULL && (e->private_ok || !r->by_address))
		return;
	strbuf_addstr(out, offer->command.buf);
	if (e != NULL)
		strbuf_addstr(out, "--private ");
	/* A shell reads the brackets of an IPv6 address as a pattern. */
	strbuf_add_shell_quoted(out, r->host);
}

/* Prints one request, or writes it to w unless that is NULL. */
static void
print_request(
    const struct offer *offer, const struct request *r, struct jsonw *w)
{
	cleanup_strbuf struct strbuf first = STRBUF_INIT;
	cleanup_strbuf struct strbuf last = STRBUF_INIT;
	cleanup_strbuf struct strbuf host = STRBUF_INIT;
	cleanup_strbuf struct strbuf command = STRBUF_INIT;

	add_command(offer, r, &command);
	add_time(&first, r->first);
	add_time(&last, r->last);
	strbuf_add_escaped(&host, r->host, strlen(r->host));
	if (w == NULL) {
		(void)printf("%s  %-7s  %5" PRId64 "  %s%s%s%s\n", last.buf,
		    r->outcome, r->count, host.buf,
		    command.len > 0 ? "  (" : "", command.buf,
		    command.len > 0 ? ")" : "");
		return;
	}
	jsonw_open_object(w);
	jsonw_key_str(w, "host", host.buf);
	jsonw_key_str(w, "outcome", r->outcome);
	jsonw_key_int(w, "count", r->count);
	jsonw_key_str(w, "first", first.buf);
	jsonw_key_str(w, "last", last.buf);
	jsonw_key_str(w, "allow", command.len > 0 ? command.buf : NULL);
	jsonw_close_object(w);
}

/* The same for a signature. */
static void
print_signature(const struct signature *s, struct jsonw *w)
{
	const char *outcome = s->refused ? "refused" : "signed";
	cleanup_strbuf struct strbuf what = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (w == NULL) {
		signature_describe(s, &what);
		strbuf_add_escaped(&out, s->last, strlen(s->last));
		strbuf_addf(&out, "  %-7s  %5" PRId64 "  ", outcome, s->count);
		strbuf_add_escaped(&out, what.buf, what.len);
		(void)printf("%s\n", out.buf);
		return;
	}
	jsonw_open_object(w);
	jsonw_key_str(w, "key", s->key);
	jsonw_key_str(w, "outcome", outcome);
	jsonw_key_int(w, "count", s->count);
	jsonw_key_str(w, "first", s->first);
	jsonw_key_str(w, "last", s->last);
	jsonw_key_str(w, "for", s->purpose);
	jsonw_key_str(w, "detail", s->detail);
	jsonw_close_object(w);
}

/* Takes the next request of a log.  Returns false at its end. */
static bool
next_request(const char **text, struct request *ret_request)
{
	while (**text != '\0') {
		size_t len = strcspn(*text, "\n");
		cleanup_free char *line = xstrndup(*text, len);

		*text += len + ((*text)[len] != '\0' ? 1 : 0);
		if (parse_request(line, ret_request))
			return true;
	}
	return false;
}

static int
read_log(const struct session *session, struct strbuf *text, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (session_open_mount(session, MOUNT_PROXY_LOG, &fd, dg) != 0)
		return -1;
	return egress_read_requests(fd, text, dg);
}

/*
 * The list is for a project: a command that is typed elsewhere names it.
 * Without a list that can be read, no command is offered.
 */
static void
load_offer(const struct context *ctx, const struct session *session,
    struct offer *offer)
{
	cleanup_record struct record record = RECORD_INIT;
	cleanup_project struct project here = PROJECT_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	offer_release(offer);
	*offer = (struct offer)OFFER_INIT;
	if (record_read(session->dir_fd, &record, &ignored) != 0 ||
	    allowed_load(ctx->paths, record.project, record.agent, &record,
		&offer->list, &ignored) != 0 ||
	    !text_is_plain(record.project))
		return;
	strbuf_addstr(&offer->command, "drydock allow ");
	if (project_open(&here, NULL, ctx->paths, &ignored) == 0 &&
	    strcmp(here.path, record.project) == 0)
		return;
	strbuf_addstr(&offer->command, "--project=");
	strbuf_add_shell_quoted(&offer->command, record.project);
	strbuf_addch(&offer->command, ' ');
}

/*
 * Returns true if the session's command has ended, or neither its companion nor
 * its holder runs.  One that is being started is waited for.
 */
static bool
is_over(const struct session *session)
{
	cleanup_record struct record record = RECORD_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int run_fd = -1;
	cleanup_close int holder_fd = -1;
	struct holder_hello hello;
	bool noted = false;
	int status;

	if (endnote_read(session->dir_fd, &noted, &status, &ignored) == 0 &&
	    noted)
		return true;
	return !companion_present(session->dir_fd) &&
	    record_read(session->dir_fd, &record, &ignored) == 0 &&
	    record.launched_at != NULL && record.starting_at == NULL &&
	    session_open_mount(session, MOUNT_RUN, &run_fd, &ignored) == 0 &&
	    holder_connect(run_fd, HOLDER_MS, &hello, &holder_fd, &ignored) !=
	    0;
}

static void
note_servers(const struct session *session)
{
	cleanup_strvec struct strvec servers = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *names = NULL;
	bool known;

	if (egress_servers(session, &servers, &known, &dg) != 0) {
		diag_warn("%s", dg.message);
		return;
	}
	names = strvec_join(&servers, ", ");
	if (known)
		diag_note("the proxy's name servers: %s",
		    servers.nr > 0 ? names : "none");
}

static int
print_requests(const struct context *ctx, const struct session *session,
    bool json, struct diag *dg)
{
	cleanup_offer struct offer offer = OFFER_INIT;
	cleanup_requests struct requests r = { NULL, 0, 0 };
	cleanup_signatures struct signatures s = SIGNATURES_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf log = STRBUF_INIT;
	struct jsonw *w = NULL;
	struct request one;
	const char *at;

	if (read_log(session, &text, dg) != 0 ||
	    signatures_read_log(session->dir_fd, &log, dg) != 0)
		return -1;
	load_offer(ctx, session, &offer);
	at = text.buf;
	while (next_request(&at, &one))
		add_request(&r, &one);
	signatures_parse(&s, SIGNATURES_MAX, log.buf);
	if (json) {
		w = jsonw_new(true);
		jsonw_open_array(w);
	} else {
		note_servers(session);
	}
	for (size_t i = 0; i < r.nr; i++)
		print_request(&offer, &r.v[i], w);
	for (size_t i = 0; i < s.nr; i++)
		print_signature(&s.v[i], w);
	if (w != NULL) {
		jsonw_close_array(w);
		return jsonw_print(w, dg);
	}
	if (r.more > 0)
		diag_note("%" PRId64 " requests to other hosts", r.more);
	if (s.more > 0)
		diag_note("%" PRId64 " other requests to sign", s.more);
	return 0;
}

/*
 * Prints and frees w (given; NULL: nothing to print).  A line that cannot be
 * made is left out, with a warning.
 */
static void
print_json_line(struct jsonw *w)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (w != NULL && jsonw_print(w, &dg) != 0)
		diag_warn("%s", dg.message);
}

/* Prints the whole lines of the log beyond *seen, which grows by them. */
static int
follow_signatures(
    const struct session *session, bool json, size_t *seen, struct diag *dg)
{
	cleanup_strbuf struct strbuf log = STRBUF_INIT;

	if (signatures_read_log(session->dir_fd, &log, dg) != 0)
		return -1;
	while (*seen < log.len) {
		const char *line = log.buf + *seen;
		size_t len = strcspn(line, "\n");
		struct signature one;
		struct jsonw *w;

		if (line[len] != '\n')
			break;
		*seen += len + 1;
		if (!signature_parse(line, len, &one))
			continue;
		w = json ? jsonw_new(false) : NULL;
		print_signature(&one, w);
		print_json_line(w);
		signature_release(&one);
	}
	return 0;
}

/*
 * Prints requests as they are logged, until the session is over.  A full log
 * drops its older half.  The position in the new log is found by the last
 * printed lines.
 */
static int
follow(const struct context *ctx, const struct session *session, bool json,
    struct diag *dg)
{
	cleanup_offer struct offer offer = OFFER_INIT;
	cleanup_strbuf struct strbuf before = STRBUF_INIT;
	struct pollfd out = { .fd = STDOUT_FILENO };
	size_t seen = 0;

	for (;;) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		/* Checked before the log is read, so that no line is lost. */
		bool over = is_over(session);
		struct request one;
		const char *at;

		if (read_log(session, &text, dg) != 0) {
			if (dg->errnum != ENOENT)
				return -1;
			diag_clear(dg);
			return 0;
		}
		/* The last line may still be incomplete. */
		at = strrchr(text.buf, '\n');
		strbuf_setlen(
		    &text, at != NULL ? (size_t)(at - text.buf) + 1 : 0);
		at = text.buf;
		if (strncmp(text.buf, before.buf, before.len) == 0) {
			at += before.len;
		} else {
			size_t n = before.len < TAIL ? before.len : TAIL;
			const char *tail =
			    strstr(text.buf, before.buf + before.len - n);

			at = tail != NULL ? tail + n : text.buf;
		}
		if (*at != '\0')
			load_offer(ctx, session, &offer);
		while (next_request(&at, &one)) {
			struct jsonw *w = json ? jsonw_new(false) : NULL;

			print_request(&offer, &one, w);
			print_json_line(w);
			free(one.host);
		}
		if (follow_signatures(session, json, &seen, dg) != 0)
			return -1;
		/* main() reports a failed write. */
		if (fflush(stdout) != 0)
			return 0;
		if (over) {
			diag_note("session %s does not run", session->id);
			return 0;
		}
		strbuf_reset(&before);
		strbuf_add(&before, text.buf, text.len);
		/* Waits before the next look, unless the reader left. */
		if (poll(&out, 1, FOLLOW_MS) > 0 &&
		    (out.revents & (POLLERR | POLLHUP)) != 0)
			return 0;
	}
}

static int
egress_run(struct context *ctx, struct diag *dg)
{
	const struct egress_options *o = ctx->options;
	cleanup_session struct session session = SESSION_INIT;
	char id[SESSION_ID_SIZE];

	if (ctx->argc > 1)
		return diag_set(dg, DIAG_USAGE, "egress takes one session");
	if (sessions_choose(ctx, ctx->argv[0], SESSIONS_OF_ANY, id, dg) != 0 ||
	    session_open(ctx->paths, id, &session, dg) != 0)
		return -1;
	return o->follow ? follow(ctx, &session, o->json, dg)
			 : print_requests(ctx, &session, o->json, dg);
}

static const struct optdef egress_optdefs[] = {
	{ "follow", 'f', OPT_FLAG, offsetof(struct egress_options, follow),
	    NULL,
	    "print each request as it is logged, until the session ends" },
	{ "json", 'j', OPT_FLAG, offsetof(struct egress_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_egress = {
	.name = "egress",
	.args = "[SESSION|DIR]",
	.summary = "show the hosts and signatures that a session was allowed "
		   "and refused",
	.description =
	    "Prints the proxy's log by host: the last time, allowed, refused "
	    "or failed, the number of requests, and the command that allows a "
	    "refused host.  A tunnel is logged when it closes.  Then the "
	    "signatures of the ssh agent, by key and purpose.",
	.needs = CMD_NEED_SETTINGS,
	.options = egress_optdefs,
	.options_size = sizeof(struct egress_options),
	.run = egress_run,
};
