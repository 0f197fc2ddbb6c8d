/* SPDX-License-Identifier: MIT */
/* allow, deny: change a list of hosts, also for running sessions. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "cmd/sessions.h"
#include "engine/built.h"
#include "engine/inimage.h"
#include "host/allowlist.h"
#include "host/packagehosts.h"
#include "host/project.h"
#include "host/statedir.h"
#include "host/text.h"
#include "host/trusted.h"
#include "host/userfile.h"
#include "session/allowed.h"

struct allow_options {
	const char *project; /* NULL: not given; "": the working directory */
	bool global;
	bool private_ok;
	bool json;
};

/* One change of one list. */
struct change {
	struct context *ctx;
	const struct allow_options *options;
	struct project project; /* open unless options->global */
	struct userfile file;
	struct allowlist now; /* what the project's sessions may reach */
	struct strvec changed; /* lines that were added or removed */
	struct strvec open; /* operands that are, or stay, open */
	struct strvec absent; /* hosts without a line to take away */
};

static const char *
source_name(unsigned sources)
{
	if ((sources & ALLOW_PROJECT) != 0)
		return "the project's allowlist";
	if ((sources & ALLOW_GLOBAL) != 0)
		return "the allowlist of all projects (drydock deny --global)";
	if ((sources & ALLOW_TOOLCHAIN) != 0)
		return "a toolchain (setting toolchains)";
	return "the agent (setting agent_hosts)";
}

static int
parse_line(const struct change *c, const char *line, struct allowlist *list,
    struct diag *dg)
{
	if (allowlist_parse(list, ALLOW_GLOBAL, c->ctx->paths, "HOST", line,
		strlen(line), dg) == 0)
		return 0;
	return diag_reclass(dg, DIAG_USAGE);
}

/* Parses an operand as a line of a list. */
static int
parse_host(const struct change *c, const char *host, struct allowlist *list,
    struct diag *dg)
{
	if (strpbrk(host, " \t\r\n#") != NULL || *host == '\0')
		return diag_set(dg, DIAG_USAGE, "\"%s\" is not a host", host);
	return parse_line(c, host, list, dg);
}

/* Returns true if the effective list covers each entry of list. */
static bool
is_open(const struct allowlist *now, const struct allowlist *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct allow_entry *e = allowlist_find(now, &list->v[i]);

		if (e == NULL || (list->v[i].private_ok && !e->private_ok))
			return false;
	}
	return true;
}

/* Names the hosts of a bundle that this machine's configuration decides. */
static void
tell_origins(const char *bundle, const struct allowlist *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		cleanup_strbuf struct strbuf host = STRBUF_INIT;

		if (list->v[i].origin == NULL)
			continue;
		allow_entry_print(&list->v[i], &host);
		diag_note("%s opens %s, which %s names", bundle, host.buf,
		    list->v[i].origin);
	}
	for (size_t i = 0; i < list->notes.nr; i++)
		diag_note("%s", list->notes.v[i]);
}

/*
 * Asks npm in the newest agent image for its default registry, and keeps it for
 * this command and for launches.
 */
static int
learn_npm_registry(struct change *c, struct diag *dg)
{
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_free char *url = NULL;
	const char *image = NULL;

	if (sessions_find_engine(c->ctx, NULL, dg) != 0 ||
	    built_read(c->ctx->paths, &list, dg) != 0)
		return -1;
	for (size_t i = 0; i < list.nr; i++)
		if (strcmp(list.v[i].kind, "agent") == 0 &&
		    built_is_of(&list.v[i], c->ctx->engine))
			image = list.v[i].image;
	if (image == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "there is no image yet: run \"drydock build\"");
	if (inimage_npm_registry(c->ctx->engine, image, &url, dg) != 0)
		return -1;
	return packagehosts_keep_npm(c->ctx->paths, url, dg);
}

/* Parses a line; what an image must tell for it is asked first. */
static int
parse_known(
    struct change *c, const char *line, struct allowlist *list, struct diag *dg)
{
	static const char npm[] = "@npm";
	cleanup_diag struct diag unknown = DIAG_INIT;

	if (parse_line(c, line, list, dg) != 0)
		return -1;
	if (strncmp(line, npm, strlen(npm)) != 0 || list->notes.nr == 0)
		return 0;
	if (learn_npm_registry(c, &unknown) != 0) {
		diag_note(
		    "npm's default registry is unknown: %s", unknown.message);
		return 0;
	}
	allowlist_release(list);
	return parse_line(c, line, list, dg);
}

static int
add_host(struct change *c, const char *host, struct diag *dg)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct strbuf *text = &c->file.text;

	if (parse_host(c, host, &list, dg) != 0)
		return -1;
	if (*host == '@')
		strbuf_addstr(&line, host);
	else
		allow_entry_print(&list.v[0], &line);
	if (c->options->private_ok)
		strbuf_addstr(&line, " private");
	allowlist_release(&list);
	if (parse_known(c, line.buf, &list, dg) != 0)
		return -1;
	if (*host == '@')
		tell_origins(host, &list);
	if (is_open(&c->now, &list)) {
		strvec_push(&c->open, host);
		return 0;
	}
	text_add_line(text, line.buf);
	strvec_push(&c->changed, line.buf);
	return allowlist_parse(&c->now, ALLOW_PROJECT, c->ctx->paths, "HOST",
	    line.buf, line.len, dg);
}

/* Returns true if the line of a list is for this host. */
static bool
is_line_of(const char *line, const char *host, const struct allow_entry *e)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_strbuf struct strbuf word = STRBUF_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	strbuf_addstr(&plain, line + strspn(line, " \t"));
	lines_cut_comment(&plain);
	strbuf_setlen(&plain, strcspn(plain.buf, " \t\r"));
	if (*host == '@')
		return strcmp(plain.buf, host) == 0;
	if (allowlist_parse(&list, ALLOW_GLOBAL, NULL, "line", plain.buf,
		plain.len, &ignored) != 0 ||
	    list.nr != 1)
		return false;
	allow_entry_print(&list.v[0], &word);
	allow_entry_print(e, &want);
	return strcmp(word.buf, want.buf) == 0;
}

static int
remove_host(struct change *c, const char *host, struct diag *dg)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t before = c->changed.nr;

	if (parse_host(c, host, &list, dg) != 0)
		return -1;
	for (const char *at = c->file.text.buf; *at != '\0';) {
		size_t len = strcspn(at, "\n");
		cleanup_free char *line = xstrndup(at, len);

		if (is_line_of(line, host, &list.v[0]))
			strvec_push(&c->changed, line);
		else
			strbuf_add(&out, at, len + (at[len] != '\0' ? 1 : 0));
		at += len + (at[len] != '\0' ? 1 : 0);
	}
	strbuf_reset(&c->file.text);
	strbuf_add(&c->file.text, out.buf, out.len);
	if (c->changed.nr == before)
		strvec_push(&c->absent, host);
	return 0;
}

/* Chooses the list: of the working directory's project, or of --project. */
static int
open_list(struct change *c, struct diag *dg)
{
	const struct allow_options *o = c->options;
	cleanup_free char *name = NULL;

	if (o->global && o->project != NULL)
		return diag_set(dg, DIAG_USAGE,
		    "--global and --project exclude each other");
	if (!o->global &&
	    project_open(&c->project,
		o->project != NULL && *o->project != '\0' ? o->project : NULL,
		c->ctx->paths, dg) != 0)
		return -1;
	name = project_file(o->global ? NULL : &c->project, ALLOWLIST_NAME);
	return userfile_open(&c->file, c->ctx->paths, name, ALLOWLIST_MAX, dg);
}

/* Loads the open hosts: for all projects, or for one with its default agent. */
static int
load_now(struct change *c, struct diag *dg)
{
	const struct allow_spec all = { .paths = c->ctx->paths };

	allowlist_release(&c->now);
	if (c->options->global)
		return allowlist_load(&c->now, &all, dg);
	if (settings_load_project(
		c->ctx->settings, c->ctx->paths, &c->project, dg) != 0)
		return -1;
	return allowed_load(c->ctx->paths, c->project.path,
	    c->ctx->settings->agent, NULL, &c->now, dg);
}

static int
print_json(const struct change *c, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_str(w, "file", c->file.path);
	jsonw_key_strvec(w, "changed", &c->changed);
	jsonw_key_strvec(w, "open", &c->open);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

/* Writes the list if it parses, and applies it to the sessions. */
static int
finish(struct change *c, struct diag *dg)
{
	cleanup_allowlist struct allowlist check = ALLOWLIST_INIT;
	int failed = 0;
	int there;

	if (allowlist_parse(&check, ALLOW_GLOBAL, c->ctx->paths, c->file.path,
		c->file.text.buf, c->file.text.len, dg) != 0 ||
	    trusted_check(c->ctx->paths, c->project.path, dg) != 0 ||
	    (c->changed.nr > 0 && userfile_write(&c->file, dg) != 0))
		return -1;
	if (statedir_open_readonly(c->ctx->paths, &there, dg) != 0 ||
	    (there &&
		allowed_apply(c->ctx->paths,
		    c->options->global ? NULL : c->project.path, &failed,
		    dg) != 0))
		return -1;
	if (failed > 0)
		c->ctx->status = 1;
	return 0;
}

static void
change_release(struct change *c)
{
	project_release(&c->project);
	userfile_release(&c->file);
	allowlist_release(&c->now);
	strvec_release(&c->changed);
	strvec_release(&c->open);
	strvec_release(&c->absent);
}

#define cleanup_change __attribute__((cleanup(change_release)))

static struct change
change_init(struct context *ctx)
{
	return (struct change){ .ctx = ctx,
		.options = ctx->options,
		.project = PROJECT_INIT,
		.file = USERFILE_INIT,
		.now = ALLOWLIST_INIT,
		.changed = STRVEC_INIT,
		.open = STRVEC_INIT,
		.absent = STRVEC_INIT };
}

static int
allow_run(struct context *ctx, struct diag *dg)
{
	cleanup_change struct change c = change_init(ctx);

	if (open_list(&c, dg) != 0 || load_now(&c, dg) != 0)
		return -1;
	for (int i = 0; i < ctx->argc; i++)
		if (add_host(&c, ctx->argv[i], dg) != 0)
			return -1;
	if (finish(&c, dg) != 0)
		return -1;
	if (c.options->json)
		return print_json(&c, dg);
	for (size_t i = 0; i < c.changed.nr; i++)
		(void)printf("%s\n", c.changed.v[i]);
	for (size_t i = 0; i < c.open.nr; i++)
		diag_note("%s is already open", c.open.v[i]);
	return 0;
}

/* Reports the source that keeps a host open. */
static int
tell_open(struct change *c, const char *host, struct diag *dg)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	const struct allow_entry *e = NULL;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	if (parse_host(c, host, &list, dg) != 0)
		return -1;
	for (size_t i = 0; e == NULL && i < list.nr; i++)
		e = allowlist_find(&c->now, &list.v[i]);
	if (e == NULL)
		return 0;
	allow_entry_print(e, &line);
	diag_note("%s stays open: \"%s\" comes from %s", host, line.buf,
	    source_name(e->sources));
	strvec_push(&c->open, host);
	c->ctx->status = 1;
	return 0;
}

static int
deny_run(struct context *ctx, struct diag *dg)
{
	cleanup_change struct change c = change_init(ctx);

	if (ctx->argc == 0)
		return diag_set(dg, DIAG_USAGE, "deny needs a host");
	if (open_list(&c, dg) != 0)
		return -1;
	for (int i = 0; i < ctx->argc; i++)
		if (remove_host(&c, ctx->argv[i], dg) != 0)
			return -1;
	if (finish(&c, dg) != 0 || load_now(&c, dg) != 0)
		return -1;
	for (int i = 0; i < ctx->argc; i++)
		if (tell_open(&c, ctx->argv[i], dg) != 0)
			return -1;
	for (size_t i = 0; i < c.absent.nr; i++) {
		diag_note("%s has no line for %s", c.file.path, c.absent.v[i]);
		ctx->status = 1;
	}
	return c.options->json ? print_json(&c, dg) : 0;
}

#define LIST_OPTIONS                                                           \
	{ "global", 'g', OPT_FLAG, offsetof(struct allow_options, global),     \
		NULL, "the list of all projects" },                            \
	    { "project", 'p', OPT_OPTIONAL,                                    \
		    offsetof(struct allow_options, project), "[DIR]",          \
		    "one project's list (default: the working directory's)" }, \
	{                                                                      \
		"json", 'j', OPT_FLAG, offsetof(struct allow_options, json),   \
		    NULL, "print JSON"                                         \
	}

static const struct optdef allow_optdefs[] = {
	LIST_OPTIONS,
	{ "private", 0, OPT_FLAG, offsetof(struct allow_options, private_ok),
	    NULL, "the hosts may lead to private addresses" },
	{ .name = NULL },
};

static const struct optdef deny_optdefs[] = {
	LIST_OPTIONS,
	{ .name = NULL },
};

const struct cmd cmd_allow = {
	.name = "allow",
	.args = "[HOST...]",
	.summary = "open hosts for a project's contained sessions",
	.description =
	    "Adds a line for each HOST to the allowlist of the working "
	    "directory's project, and prints it.  HOST is a line of the list: "
	    "NAME, *.NAME, http://NAME, an address, each with :PORT, or "
	    "@BUNDLE; see drydock.conf(5).  Running sessions get the list at "
	    "once.  Without HOST they get what the lists have now, for "
	    "example after you have edited one.",
	.needs = CMD_NEED_SETTINGS,
	.options = allow_optdefs,
	.options_size = sizeof(struct allow_options),
	.run = allow_run,
};

const struct cmd cmd_deny = {
	.name = "deny",
	.args = "HOST...",
	.summary = "close hosts that allow has opened",
	.description =
	    "Removes the lines for each HOST from the allowlist of the working "
	    "directory's project.  Running sessions get the list at once; "
	    "connections that are open stay.  A host that stays open by "
	    "another line, the agent or a toolchain is named, and the status "
	    "is 1.",
	.needs = CMD_NEED_SETTINGS,
	.options = deny_optdefs,
	.options_size = sizeof(struct allow_options),
	.run = deny_run,
};
