/* SPDX-License-Identifier: MIT */
/* config: prints the effective settings. */

#include <stdio.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "host/project.h"

struct config_options {
	bool json;
};

/*
 * Appends the value as in drydock.conf: 4g and 15s are strings with their
 * units.
 */
static void
add_json_value(
    struct jsonw *w, const struct settings *s, const struct setting *row)
{
	const void *at = (const char *)s + row->offset;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	switch (row->type) {
	case SETTING_WORDS:
		jsonw_strvec(w, at);
		break;
	case SETTING_INT:
		jsonw_int(w, *(const int64_t *)at);
		break;
	case SETTING_BOOL:
		jsonw_bool(w, *(const bool *)at);
		break;
	case SETTING_STRING:
	case SETTING_SIZE:
	case SETTING_CPUS:
	case SETTING_DURATION:
		settings_print_value(s, row, &text);
		jsonw_str(w, text.buf);
		break;
	}
}

static int
print_json(const struct settings *s, struct strbuf *out, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		jsonw_key(w, row->name);
		add_json_value(w, s, row);
	}
	jsonw_close_object(w);
	return jsonw_finish(w, out, dg);
}

static int
config_run(struct context *ctx, const void *options, int argc, char **argv,
    int dashdash, struct diag *dg)
{
	const struct config_options *o = options;
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (argc > 1 || dashdash < argc)
		return diag_set(dg, DIAG_USAGE, "config takes one directory");
	if (argc > 0 &&
	    (project_open(&project, argv[0], ctx->paths, dg) != 0 ||
		settings_load_project(
		    ctx->settings, ctx->paths, &project, dg) != 0))
		return -1;
	if (!o->json)
		settings_print(ctx->settings, &out);
	else if (print_json(ctx->settings, &out, dg) != 0)
		return -1;
	(void)fputs(out.buf, stdout);
	return 0;
}

static const struct optdef config_optdefs[] = {
	{ "json", 'j', OPT_FLAG, offsetof(struct config_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_config = {
	.name = "config",
	.args = "[DIR]",
	.summary = "print the settings in effect, in drydock.conf's own form",
	.description =
	    "Settings come from options, the environment, the project's own "
	    "file when DIR is given, drydock.conf and the defaults, in this "
	    "order.  The output is a drydock.conf that sets the same.",
	.needs = CMD_NEED_SETTINGS | CMD_SHOW_SETTINGS,
	.options = config_optdefs,
	.options_size = sizeof(struct config_options),
	.run = config_run,
};
