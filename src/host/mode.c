/* SPDX-License-Identifier: MIT */
/*
 * mode: parses and resolves the session mode.  An unknown word means contained.
 */

#include "host/mode.h"

#include <stdbool.h>
#include <string.h>

#include "base/diag.h"
#include "host/settings.h"

const char *
mode_name(enum mode mode)
{
	switch (mode) {
	case MODE_CONTAINED:
		return "contained";
	case MODE_DOOD:
		return "dood";
	}
	return "contained";
}

/* Parses a mode name.  Another word returns false; *ret_mode stays. */
static bool
parse(const char *word, enum mode *ret_mode)
{
	if (strcmp(word, "contained") == 0)
		*ret_mode = MODE_CONTAINED;
	else if (strcmp(word, "dood") == 0)
		*ret_mode = MODE_DOOD;
	else
		return false;
	return true;
}

int
mode_check(const char *word, const char *origin, struct diag *dg)
{
	enum mode mode;

	if (parse(word, &mode))
		return 0;
	return diag_set(dg, DIAG_USAGE,
	    "%s: \"%s\" is not a mode: use contained or dood", origin, word);
}

struct mode_choice
mode_resolve(const char *option, const struct settings *settings)
{
	static const char *const sources[] = {
		[SETTINGS_DEFAULT] = "the default",
		[SETTINGS_FILE] = "drydock.conf",
		[SETTINGS_PROJECT] = "the project's drydock.conf",
		[SETTINGS_ENVIRONMENT] = "DRYDOCK_MODE",
		[SETTINGS_OPTION] = "--mode",
	};
	struct mode_choice choice = { MODE_CONTAINED, "the default" };
	const char *setting = settings != NULL ? settings->mode : "";
	const char *word = NULL;

	if (option != NULL) {
		word = option;
		choice.reason = "--mode";
	} else if (*setting != '\0') {
		word = setting;
		choice.reason = sources[settings_source(settings, "mode")];
	}
	if (word != NULL && !parse(word, &choice.mode)) {
		diag_warn("unknown mode \"%s\" (contained or dood): "
			  "taking contained",
		    word);
		choice.reason = "an unknown mode was asked for";
	}
	return choice;
}
