/* SPDX-License-Identifier: MIT */
/*
 * The command line: every word comes out as an operand, in its order, or has
 * its say as an option; nothing behind "--" is one.
 *
 * Input: which command, then the words, a line each.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "cmd/options.h"
#include "fuzz.h"
#include "host/settings.h"

static void
split(const char *text, struct strvec *words)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		cleanup_strbuf struct strbuf word = STRBUF_INIT;
		strbuf_add(&word, text, len);
		strvec_push(words, word.buf);
		text += len + (text[len] == '\n' ? 1 : 0);
	}
}

static void
check_operands(const struct strvec *words, const struct options *o)
{
	size_t at = 0;
	FUZZ_CHECK(o->argc >= 0 && (size_t)o->argc <= words->nr);
	FUZZ_CHECK(o->dashdash >= 0 && o->dashdash <= o->argc);
	for (int i = 0; i < o->argc; i++) {
		while (at < words->nr && words->v[at] != o->argv[i])
			at++;
		FUZZ_CHECK(at < words->nr);
		at++;
		if (i < o->dashdash)
			FUZZ_CHECK(
			    o->argv[i][0] != '-' || o->argv[i][1] == '\0');
	}
	/* All that follows the first "--" that is no option's value. */
	int behind = o->argc - o->dashdash;
	if (behind > 0)
		FUZZ_CHECK(strcmp(words->v[words->nr - (size_t)behind - 1],
			       "--") == 0);
}

/* Written in the one plain way, they say the same once more. */
static void
check_again(const struct cmd *cmd, const struct options *o)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_options struct options again = OPTIONS_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(o->settings.nr % 2 == 0);
	for (size_t i = 0; i < o->settings.nr; i += 2) {
		FUZZ_CHECK(settings_find(o->settings.v[i]) != NULL);
		cleanup_free char *name =
		    settings_option_name(o->settings.v[i]);
		strvec_pushf(&words, "--%s=%s", name, o->settings.v[i + 1]);
	}
	for (int i = 0; i < o->argc; i++) {
		if (i == o->dashdash)
			strvec_push(&words, "--");
		strvec_push(&words, o->argv[i]);
	}
	FUZZ_CHECK(
	    options_parse(cmd, (int)words.nr, words.v, &again, &dg) == 0);
	FUZZ_CHECK(again.argc == o->argc && again.dashdash == o->dashdash);
	for (int i = 0; i < o->argc; i++)
		FUZZ_CHECK(strcmp(again.argv[i], o->argv[i]) == 0);
	FUZZ_CHECK(again.settings.nr == o->settings.nr);
	for (size_t i = 0; i < o->settings.nr; i++)
		FUZZ_CHECK(strcmp(again.settings.v[i], o->settings.v[i]) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t which = fuzz_take(&in);
	cleanup_free char *text = fuzz_text(in.data, in.size);
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_options struct options options = OPTIONS_INIT;
	cleanup_settings struct settings settings;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t ncommands = 0;

	settings_init(&settings);
	while (cmd_table()[ncommands] != NULL)
		ncommands++;
	const struct cmd *cmd = cmd_table()[which % ncommands];
	split(text, &words);
	int rc = options_parse(cmd, (int)words.nr, words.v, &options, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_USAGE);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	check_operands(&words, &options);
	check_again(cmd, &options);
	rc = options_apply(&options, &settings, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_USAGE);
	fuzz_outcome(rc, &dg);
	return 0;
}
