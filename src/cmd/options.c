/* SPDX-License-Identifier: MIT */
/* options: the parser for the option tables of all commands. */

#include "cmd/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "host/mode.h"
#include "host/text.h"

/* The state of one parse. */
struct walk {
	const struct cmd *cmd;
	int argc;
	char **argv;
	int at; /* index of the next word */
	struct options *options;
};

/* Returned: the setting of a long option without dashes before it. */
static char *
setting_of_option(const char *option)
{
	char *setting = xstrdup(option);

	for (char *p = setting; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return setting;
}

const struct optdef options_common[] = {
	{ "help", 'h', OPT_COMMON, offsetof(struct options, help), NULL,
	    "print this" },
	{ "quiet", 'q', OPT_COMMON, offsetof(struct options, quiet), NULL,
	    "print only warnings and errors" },
	{ .name = NULL },
};

const struct optdef *
options_find(const struct optdef *rows, const char *name, char letter)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (name != NULL ? strcmp(rows->name, name) == 0
				 : rows->letter == letter)
			return rows;
	return NULL;
}

static const struct optdef *
find(const struct cmd *cmd, const char *name, char letter)
{
	const struct optdef *own = options_find(cmd->options, name, letter);

	return own != NULL ? own : options_find(options_common, name, letter);
}

/*
 * Returns the setting of the option --name, or NULL.  Only commands with
 * CMD_NEED_SETTINGS take settings.
 */
static const struct setting *
find_setting(const struct cmd *cmd, const char *name)
{
	cleanup_free char *setting = NULL;

	/* Only the spelling with dashes is an option. */
	if ((cmd->needs & CMD_NEED_SETTINGS) == 0 || strchr(name, '_') != NULL)
		return NULL;
	setting = setting_of_option(name);
	return settings_find(setting);
}

static int
fail_unknown(const struct cmd *cmd, const char *name, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct nearest near;

	nearest_init(&near, name);
	for (const struct optdef *o = options_common; o->name != NULL; o++)
		nearest_offer(&near, o->name);
	for (const struct optdef *o = cmd->options;
	     o != NULL && o->name != NULL; o++)
		nearest_offer(&near, o->name);
	for (const struct setting *row = settings_table();
	     (cmd->needs & CMD_NEED_SETTINGS) != 0 && row->name != NULL; row++)
		strvec_push_given(&names, settings_option_name(row->name));
	for (size_t i = 0; i < names.nr; i++)
		nearest_offer(&near, names.v[i]);
	if (near.name == NULL)
		return diag_set(dg, DIAG_USAGE,
		    "%s: unknown option --%s (see drydock help %s)", cmd->name,
		    name, cmd->name);
	return diag_set(dg, DIAG_USAGE,
	    "%s: unknown option --%s (nearest: --%s)", cmd->name, name,
	    near.name);
}

/* Returns true if the next word is a directory, and no other operand. */
static bool
directory_follows(const struct walk *w)
{
	const char *word = w->at < w->argc ? w->argv[w->at] : "";

	return *word != '-' &&
	    (strchr(word, '/') != NULL || strcmp(word, ".") == 0 ||
		strcmp(word, "..") == 0);
}

/*
 * Takes the value of an option: the attached text, or the next word.  o is NULL
 * for a setting.
 */
static int
take_value(struct walk *w, const char *shown, const char *name,
    const struct optdef *o, const char *arg, const char *attached,
    const char **ret_value, struct diag *dg)
{
	cleanup_free char *origin = xasprintf("%s: %s", w->cmd->name, shown);

	if (o != NULL && o->type == OPT_OPTIONAL && attached == NULL &&
	    !directory_follows(w)) {
		*ret_value = "";
		return 0;
	}
	if (attached == NULL && w->at == w->argc)
		return diag_set(
		    dg, DIAG_USAGE, "%s needs a value (%s)", origin, arg);
	*ret_value = attached != NULL ? attached : w->argv[w->at++];
	/*
	 * In a file or the environment an unknown mode means contained; on the
	 * command line it is a typing error that the user can correct.
	 */
	return strcmp(name, "mode") == 0 ? mode_check(*ret_value, origin, dg)
					 : 0;
}

static void
push_setting(struct options *options, const char *name, const char *value)
{
	strvec_push_given(&options->settings, setting_of_option(name));
	strvec_push(&options->settings, value);
}

static void
store(struct options *options, const struct optdef *o, const char *value)
{
	void *member =
	    (char *)(o->type == OPT_COMMON ? options : options->values) +
	    o->offset;

	switch (o->type) {
	case OPT_FLAG:
	case OPT_COMMON:
		*(bool *)member = true;
		break;
	case OPT_STRING:
	case OPT_OPTIONAL:
		memcpy(member, &value, sizeof(value));
		break;
	case OPT_SETTING:
		push_setting(options, o->name, value);
		break;
	}
}

static int
parse_long(struct walk *w, const char *word, struct diag *dg)
{
	const char *equals = strchr(word, '=');
	const char *attached = equals != NULL ? equals + 1 : NULL;
	cleanup_free char *name = NULL;
	cleanup_free char *shown = NULL;
	const struct setting *setting = NULL;
	const struct optdef *o;
	const char *value = NULL;
	const char *arg;

	name = xstrndup(
	    word, equals != NULL ? (size_t)(equals - word) : strlen(word));
	shown = xasprintf("--%s", name);
	o = find(w->cmd, name, 0);
	if (o == NULL)
		setting = find_setting(w->cmd, name);
	if (o == NULL && setting == NULL)
		return fail_unknown(w->cmd, name, dg);
	arg = o != NULL ? o->arg : setting->values;
	if (arg == NULL && attached != NULL)
		return diag_set(dg, DIAG_USAGE, "%s: %s takes no value",
		    w->cmd->name, shown);
	if (arg != NULL &&
	    take_value(w, shown, name, o, arg, attached, &value, dg) != 0)
		return -1;
	if (o != NULL)
		store(w->options, o, value);
	else
		push_setting(w->options, name, value);
	return 0;
}

/* Parses -a, -ab, -n VALUE and -nVALUE. */
static int
parse_letters(struct walk *w, const char *letters, struct diag *dg)
{
	for (; *letters != '\0'; letters++) {
		const struct optdef *o = find(w->cmd, NULL, *letters);
		char shown[] = { '-', *letters, '\0' };
		const char *value = NULL;

		if (o == NULL)
			return diag_set(dg, DIAG_USAGE,
			    "%s: unknown option %s (see drydock help %s)",
			    w->cmd->name, shown, w->cmd->name);
		if (o->arg == NULL) {
			store(w->options, o, NULL);
			continue;
		}
		if (take_value(w, shown, o->name, o, o->arg,
			letters[1] != '\0' ? letters + 1 : NULL, &value,
			dg) != 0)
			return -1;
		store(w->options, o, value);
		break;
	}
	return 0;
}

static int
parse_words(struct walk *w, struct diag *dg)
{
	struct options *options = w->options;

	while (w->at < w->argc) {
		char *word = w->argv[w->at++];
		int rc = 0;

		if (strcmp(word, "--") == 0) {
			options->dashdash = options->argc;
			while (w->at < w->argc)
				options->argv[options->argc++] =
				    w->argv[w->at++];
			return 0;
		}
		if (strncmp(word, "--", 2) == 0)
			rc = parse_long(w, word + 2, dg);
		else if (word[0] == '-' && word[1] != '\0')
			rc = parse_letters(w, word + 1, dg);
		else
			options->argv[options->argc++] = word;
		if (rc < 0)
			return -1;
	}
	options->dashdash = options->argc;
	return 0;
}

int
options_parse(const struct cmd *cmd, int argc, char **argv,
    struct options *ret_options, struct diag *dg)
{
	cleanup_options struct options options = OPTIONS_INIT;
	struct walk w = { cmd, argc, argv, 0, &options };

	options.values = xcalloc(1, cmd->options_size + 1);
	options.argv = xcalloc((size_t)argc + 1, sizeof(*options.argv));
	if (parse_words(&w, dg) != 0)
		return -1;
	*ret_options = options;
	options = (struct options)OPTIONS_INIT;
	return 0;
}

int
options_apply(
    const struct options *options, struct settings *s, struct diag *dg)
{
	for (size_t i = 0; i + 1 < options->settings.nr; i += 2) {
		const char *name = options->settings.v[i];
		cleanup_free char *option = settings_option_name(name);
		cleanup_free char *origin = xasprintf("--%s", option);

		if (settings_set(s, SETTINGS_OPTION, name,
			options->settings.v[i + 1], origin, dg) != 0) {
			/*
			 * settings_set() fails with DIAG_CONFIG; an error on
			 * the command line is DIAG_USAGE.
			 */
			return diag_reclass(dg, DIAG_USAGE);
		}
	}
	return 0;
}

void
options_release(struct options *options)
{
	free(options->values);
	free(options->argv);
	strvec_release(&options->settings);
	*options = (struct options)OPTIONS_INIT;
}
