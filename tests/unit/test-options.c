/* SPDX-License-Identifier: MIT */
/* The option parser, over a command of the test's own. */

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/options.h"
#include "cmd/table.h"

#include "check.h"

struct values {
	bool all;
	bool quiet;
	const char *name;
};

static const struct optdef optdefs[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct values, all), NULL, "all" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct values, quiet), NULL, "q" },
	{ "name", 'n', OPT_STRING, offsetof(struct values, name), "NAME",
	    "a name" },
	{ "memory", 'm', OPT_SETTING, 0, "SIZE", "memory" },
	{ .name = NULL },
};

static const struct cmd cmd_test = {
	.name = "test",
	.summary = "test",
	.needs = CMD_NEED_SETTINGS,
	.options = optdefs,
	.options_size = sizeof(struct values),
};

static const struct cmd cmd_bare = { .name = "bare", .summary = "bare" };

/* The parsed line in one string, or the failure's message. */
static char *
parse(const struct cmd *cmd, const char *const *words)
{
	cleanup_options struct options options = OPTIONS_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct strbuf out = STRBUF_INIT;
	const struct values *values;
	char *argv[16];
	int argc = 0;

	for (; *words != NULL; words++)
		memcpy(&argv[argc++], words, sizeof(*words));
	if (options_parse(cmd, argc, argv, &options, &dg) < 0) {
		CHECK_INT(dg.class, DIAG_USAGE);
		return xstrdup(dg.message);
	}
	values = options.values;
	if (cmd->options_size > 0)
		strbuf_addf(&out, "%s%s%s%s", values->all ? "a" : "",
		    values->quiet ? "q" : "", values->name != NULL ? "n=" : "",
		    values->name != NULL ? values->name : "");
	strbuf_addstr(&out, options.help ? "h" : "");
	for (size_t i = 0; i < options.settings.nr; i += 2)
		strbuf_addf(&out, " %s=%s", options.settings.v[i],
		    options.settings.v[i + 1]);
	for (int i = 0; i < options.argc; i++)
		strbuf_addf(&out, "%s[%s]", i == options.dashdash ? " -- " : "",
		    options.argv[i]);
	if (options.dashdash == options.argc)
		strbuf_addstr(&out, " .");
	return strbuf_detach(&out, NULL);
}

static void
test_lines(void)
{
	static const struct {
		const char *words[8];
		const char *want;
	} rows[] = {
		{ { NULL }, " ." },
		{ { "--all", NULL }, "a ." },
		{ { "-aq", NULL }, "aq ." },
		{ { "-aqn", "x", NULL }, "aqn=x ." },
		{ { "-aqnx", NULL }, "aqn=x ." },
		{ { "-n", "-a", NULL }, "n=-a ." },
		{ { "--name", "x", NULL }, "n=x ." },
		{ { "--name=x=y", NULL }, "n=x=y ." },
		{ { "--name=", NULL }, "n= ." },
		{ { "--name", "--", "d", NULL }, "n=--[d] ." },
		{ { "d", "-a", "e", "--quiet", NULL }, "aq[d][e] ." },
		{ { "d", "--", "-a", "--", NULL }, "[d] -- [-a][--]" },
		{ { "--", NULL }, " ." },
		{ { "-", NULL }, "[-] ." },
		{ { "", NULL }, "[] ." },
		{ { "-h", NULL }, "h ." },
		{ { "--help", "x", NULL }, "h[x] ." },
		{ { "--", "--help", NULL }, " -- [--help]" },
		{ { "-m", "4g", NULL }, " memory=4g ." },
		{ { "--engine-timeout", "3s", "d", NULL },
		    " engine_timeout=3s[d] ." },
		{ { "--cpus=1", "--cpus=2", NULL }, " cpus=1 cpus=2 ." },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *got = parse(&cmd_test, rows[i].words);

		CHECK_STR(got, rows[i].want);
	}
}

static void
test_failures(void)
{
	static const struct {
		const char *words[4];
		const char *want;
	} rows[] = {
		{ { "--al", NULL },
		    "test: unknown option --al (nearest: --all)" },
		{ { "--memry=4g", NULL },
		    "test: unknown option --memry (nearest: --memory)" },
		{ { "--engine_timeout", "3s", NULL },
		    "test: unknown option --engine_timeout (nearest: "
		    "--engine-timeout)" },
		{ { "--xyzzy", NULL },
		    "test: unknown option --xyzzy (see drydock help test)" },
		{ { "-x", NULL },
		    "test: unknown option -x (see drydock help test)" },
		{ { "-ax", NULL },
		    "test: unknown option -x (see drydock help test)" },
		{ { "--name", NULL }, "test: --name needs a value (NAME)" },
		{ { "-an", NULL }, "test: -n needs a value (NAME)" },
		{ { "--cpus", NULL }, "test: --cpus needs a value (NUMBER)" },
		{ { "--all=yes", NULL }, "test: --all takes no value" },
		{ { "--help=x", NULL }, "test: --help takes no value" },
	};
	static const char *const setting[] = { "--memory", "4g", NULL };
	cleanup_free char *bare = parse(&cmd_bare, setting);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *got = parse(&cmd_test, rows[i].words);

		CHECK_STR(got, rows[i].want);
	}
	CHECK_STR(
	    bare, "bare: unknown option --memory (see drydock help bare)");
}

static void
test_apply(void)
{
	cleanup_settings struct settings s;
	cleanup_options struct options options = OPTIONS_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	char option[] = "--engine-timeout";
	char good[] = "3s";
	char bad[] = "soon";
	char *argv[] = { option, good, option, bad };

	settings_init(&s);
	CHECK_INT(options_parse(&cmd_test, 2, argv, &options, &dg), 0);
	CHECK_INT(options_apply(&options, &s, &dg), 0);
	CHECK_INT(s.engine_timeout_ms, 3000);
	options_release(&options);
	CHECK_INT(options_parse(&cmd_test, 4, argv, &options, &dg), 0);
	CHECK_INT(options_apply(&options, &s, &dg), -1);
	CHECK_INT(dg.class, DIAG_USAGE);
	CHECK_STR(dg.message,
	    "--engine-timeout: engine_timeout: \"soon\" is not a time with "
	    "its unit, such as 15s, 2m or 500ms");
}

static void
test_tables(void)
{
	for (const struct cmd *const *c = cmd_table(); *c != NULL; c++) {
		cleanup_strbuf struct strbuf help = STRBUF_INIT;
		const struct cmd *found = NULL;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(table_find((*c)->name, &found, &dg), 0);
		CHECK(found == *c);
		CHECK((*c)->run != NULL && (*c)->summary != NULL);
		for (const struct cmd *const *other = cmd_table(); other < c;
		     other++)
			CHECK(strcmp((*other)->name, (*c)->name) != 0);
		for (const struct optdef *o = (*c)->options;
		     o != NULL && o->name != NULL; o++) {
			CHECK((o->type == OPT_FLAG) == (o->arg == NULL));
			CHECK(o->letter != 'h');
			CHECK(strcmp(o->name, "help") != 0);
			CHECK(o->offset < (*c)->options_size ||
			    o->type == OPT_SETTING);
		}
		table_help_command(*c, &help);
		for (const char *line = help.buf; *line != '\0';) {
			size_t len = strcspn(line, "\n");

			CHECK(len < 80);
			line += len + 1;
		}
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "options stand anywhere before --, in every spelling",
		    test_lines },
		{ "unknown options and missing values are usage errors",
		    test_failures },
		{ "settings among the options are applied, a bad one is usage",
		    test_apply },
		{ "every command's table is sound and its help fits 80 "
		  "columns",
		    test_tables },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
