/* SPDX-License-Identifier: MIT */
/* settings: the values of the settings, and their sources. */

#include "host/settings.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/conffile.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/text.h"

#define ENV_PREFIX "DRYDOCK_"
#define VALUE_MAX 4096 /* bytes of a string */
#define WORDS_MAX 256 /* words of a list */

struct unit {
	const char *suffix; /* lower case */
	int64_t factor;
};

/* Largest first: print_units() uses the first factor that divides the value. */
static const struct unit size_units[] = {
	{ "t", INT64_C(1) << 40 },
	{ "g", INT64_C(1) << 30 },
	{ "m", INT64_C(1) << 20 },
	{ "k", INT64_C(1) << 10 },
	{ "", 1 },
	{ NULL, 0 },
};

static const struct unit duration_units[] = {
	{ "d", INT64_C(24) * 3600 * 1000 },
	{ "h", INT64_C(3600) * 1000 },
	{ "m", INT64_C(60) * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};

static const struct unit int_units[] = { { "", 1 }, { NULL, 0 } };

static const struct {
	const char *wants; /* for messages */
	const struct unit *units;
} numbers[] = {
	[SETTING_INT] = { "a whole number", int_units },
	[SETTING_SIZE] = { "a size such as 512m or 4g", size_units },
	[SETTING_CPUS] = { "a number such as 2 or 1.5", NULL },
	[SETTING_DURATION] = { "a time with its unit, such as 15s, 2m or 500ms",
	    duration_units },
	[SETTING_BOOL] = { "yes or no", NULL },
};

/*
 * Parses the digits at *at and moves *at behind them.  Returns -1 when there
 * are no digits or the value overflows.
 */
static int64_t
take_digits(const char **at)
{
	const char *p = *at;
	int64_t value = 0;

	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *p - '0', &value))
			return -1;
	}
	*at = p;
	return value;
}

static bool
parse_units(const char *text, const struct unit *units, int64_t *ret_value)
{
	int64_t value = take_digits(&text);
	char suffix[3] = "";

	if (value < 0 || strlen(text) >= sizeof(suffix))
		return false;
	for (size_t i = 0; text[i] != '\0'; i++)
		suffix[i] = text_lower(text[i]);
	for (; units->suffix != NULL; units++) {
		if (strcmp(units->suffix, suffix) == 0)
			return !__builtin_mul_overflow(
			    value, units->factor, ret_value);
	}
	return false;
}

/* Parses 2, 1.5 or 0.125 (at most three decimals) into thousandths. */
static bool
parse_cpus(const char *text, int64_t *ret_value)
{
	int64_t value = take_digits(&text);
	int64_t thousandths = 0;
	int64_t weight = 100;

	if (value < 0 || __builtin_mul_overflow(value, 1000, &value))
		return false;
	if (*text == '.') {
		text++;
		if (*text == '\0')
			return false;
		for (; weight > 0 && *text >= '0' && *text <= '9'; text++) {
			thousandths += (*text - '0') * weight;
			weight /= 10;
		}
	}
	return *text == '\0' &&
	    !__builtin_add_overflow(value, thousandths, ret_value);
}

static bool
parse_number(enum setting_type type, const char *text, int64_t *ret_value)
{
	if (type == SETTING_CPUS)
		return parse_cpus(text, ret_value);
	if (type != SETTING_BOOL)
		return parse_units(text, numbers[type].units, ret_value);
	*ret_value = strcmp(text, "yes") == 0 ? 1 : 0;
	return *ret_value == 1 || strcmp(text, "no") == 0;
}

static void
print_units(const struct unit *units, int64_t value, struct strbuf *out)
{
	for (; units->suffix != NULL; units++) {
		if (units->factor == 1 ||
		    (value != 0 && value % units->factor == 0)) {
			strbuf_addf(out, "%lld%s",
			    (long long)(value / units->factor), units->suffix);
			return;
		}
	}
}

static void
print_cpus(int64_t value, struct strbuf *out)
{
	strbuf_addf(out, "%lld", (long long)(value / 1000));
	if (value % 1000 == 0)
		return;
	strbuf_addf(out, ".%03lld", (long long)(value % 1000));
	while (out->buf[out->len - 1] == '0')
		strbuf_setlen(out, out->len - 1);
}

/* Appends value in the form that read_number() reads. */
static void
print_number(enum setting_type type, int64_t value, struct strbuf *out)
{
	if (type == SETTING_CPUS)
		print_cpus(value, out);
	else if (type == SETTING_BOOL)
		strbuf_addstr(out, value != 0 ? "yes" : "no");
	else
		print_units(numbers[type].units, value, out);
}

/*
 * Reads text as a number of row's type (INT, SIZE, CPUS, DURATION, BOOL) within
 * row's bounds.  Failures are DIAG_CONFIG "ORIGIN: NAME: why".
 */
static int
read_number(const struct setting *row, const char *text, const char *origin,
    int64_t *ret_value, struct diag *dg)
{
	cleanup_strbuf struct strbuf bound = STRBUF_INIT;
	bool low;
	int64_t value = 0;

	if (!parse_number(row->type, text, &value))
		return diag_set(dg, DIAG_CONFIG, "%s: %s: \"%s\" is not %s",
		    origin, row->name, text, numbers[row->type].wants);
	if (value >= row->min && value <= row->max) {
		*ret_value = value;
		return 0;
	}
	low = value < row->min;
	print_number(row->type, low ? row->min : row->max, &bound);
	return diag_set(dg, DIAG_CONFIG, "%s: %s: %s is %s than %s", origin,
	    row->name, text, low ? "less" : "more", bound.buf);
}

/* Checks text as the value of a string setting. */
static int
check_string(const struct setting *row, const char *text, const char *origin,
    struct diag *dg)
{
	const char *why;

	if (strlen(text) > VALUE_MAX)
		return diag_set(dg, DIAG_CONFIG, "%s: %s: longer than %d bytes",
		    origin, row->name, VALUE_MAX);
	if (!text_is_plain(text))
		return diag_set(dg, DIAG_CONFIG,
		    "%s: %s: \"%s\" is not plain UTF-8 text", origin, row->name,
		    text);
	why = row->check != NULL ? row->check(text) : NULL;
	if (why != NULL)
		return diag_set(dg, DIAG_CONFIG, "%s: %s: \"%s\" %s", origin,
		    row->name, text, why);
	return 0;
}

/*
 * Splits text at blanks and commas, checks each word, drops duplicates and
 * replaces *ret_words.
 */
static int
read_words(const struct setting *row, const char *text, const char *origin,
    struct strvec *ret_words, struct diag *dg)
{
	static const char separators[] = " \t,";
	cleanup_strvec struct strvec words = STRVEC_INIT;

	for (;;) {
		cleanup_free char *word = NULL;
		size_t len;

		text += strspn(text, separators);
		if (*text == '\0')
			break;
		len = strcspn(text, separators);
		word = xstrndup(text, len);
		text += len;
		if (check_string(row, word, origin, dg) != 0)
			return -1;
		if (words.nr == WORDS_MAX)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: %s: more than %d words", origin, row->name,
			    WORDS_MAX);
		if (!strvec_has(&words, word))
			strvec_push_given(&words, steal_ptr(&word));
	}
	strvec_release(ret_words);
	*ret_words = words;
	strvec_init(&words);
	return 0;
}

static void *
member(struct settings *s, const struct setting *row)
{
	return (char *)s + row->offset;
}

static const void *
const_member(const struct settings *s, const struct setting *row)
{
	return (const char *)s + row->offset;
}

/* Checks value; stores it if keep is true. */
static int
write_row(struct settings *s, const struct setting *row, bool keep,
    const char *value, const char *origin, struct diag *dg)
{
	int64_t number;

	if (row->type == SETTING_WORDS) {
		cleanup_strvec struct strvec unused = STRVEC_INIT;

		return read_words(
		    row, value, origin, keep ? member(s, row) : &unused, dg);
	}
	if (row->type == SETTING_STRING) {
		char **string = member(s, row);

		if (check_string(row, value, origin, dg) != 0)
			return -1;
		if (!keep)
			return 0;
		value = xstrdup(value);
		cleanup_free_fn(string);
		memcpy(string, &value, sizeof(value));
		return 0;
	}
	if (read_number(row, value, origin, &number, dg) != 0)
		return -1;
	if (keep && row->type == SETTING_BOOL)
		*(bool *)member(s, row) = number != 0;
	else if (keep)
		*(int64_t *)member(s, row) = number;
	return 0;
}

static int
set_row(struct settings *s, const struct setting *row,
    enum settings_source source, const char *value, const char *origin,
    struct diag *dg)
{
	unsigned char *now = &s->sources[row - settings_table()];
	bool keep = source >= *now;

	if (source == SETTINGS_PROJECT && !row->per_project)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: %s cannot be set for one project: set it in "
		    "drydock.conf",
		    origin, row->name);
	if (write_row(s, row, keep, value, origin, dg) != 0)
		return -1;
	if (keep)
		*now = (unsigned char)source;
	return 0;
}

void
settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		cleanup_diag struct diag dg = DIAG_INIT;

		if (row->type == SETTING_WORDS)
			strvec_init(member(s, row));
		/* A test verifies that every fallback parses. */
		(void)set_row(
		    s, row, SETTINGS_DEFAULT, row->fallback, "default", &dg);
	}
}

void
settings_release(struct settings *s)
{
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		if (row->type == SETTING_STRING) {
			cleanup_free_fn(member(s, row));
		} else if (row->type == SETTING_WORDS) {
			strvec_release(member(s, row));
		}
	}
}

/* Fails with DIAG_CONFIG "WHAT (nearest: NAME)". */
static int
fail_unknown(const char *what, const struct nearest *near, struct diag *dg)
{
	return near->name == NULL
	    ? diag_set(dg, DIAG_CONFIG, "%s", what)
	    : diag_set(dg, DIAG_CONFIG, "%s (nearest: %s)", what, near->name);
}

int
settings_set(struct settings *s, enum settings_source source, const char *name,
    const char *value, const char *origin, struct diag *dg)
{
	const struct setting *row = settings_find(name);
	cleanup_free char *what = NULL;
	struct nearest near;

	if (row != NULL)
		return set_row(s, row, source, value, origin, dg);
	nearest_init(&near, name);
	for (row = settings_table(); row->name != NULL; row++)
		nearest_offer(&near, row->name);
	what = xasprintf("%s: unknown key \"%s\"", origin, name);
	return fail_unknown(what, &near, dg);
}

void
settings_print_value(
    const struct settings *s, const struct setting *row, struct strbuf *out)
{
	const void *at = const_member(s, row);

	switch (row->type) {
	case SETTING_STRING:
		strbuf_addstr(out, *(char *const *)at);
		break;
	case SETTING_WORDS: {
		cleanup_free char *words = strvec_join(at, " ");

		strbuf_addstr(out, words);
		break;
	}
	case SETTING_BOOL:
		print_number(row->type, *(const bool *)at, out);
		break;
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_CPUS:
	case SETTING_DURATION:
		print_number(row->type, *(const int64_t *)at, out);
		break;
	}
}

void
settings_print_row(
    const struct settings *s, const struct setting *row, struct strbuf *out)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	settings_print_value(s, row, &value);
	strbuf_addf(out, "%s = ", row->name);
	conffile_quote(value.buf, out);
}

int
settings_parse(struct settings *s, enum settings_source source,
    const char *name, const char *text, size_t len, struct diag *dg)
{
	cleanup_conf_entry struct conf_entry entry = CONF_ENTRY_INIT;
	size_t seen[SETTINGS_MAX] = { 0 };
	struct lines lines;
	int rc;

	if (lines_init(&lines, name, text, len, SETTINGS_FILE_MAX, dg) != 0)
		return -1;
	while ((rc = conffile_next(&lines, &entry, dg)) > 0) {
		cleanup_free char *origin =
		    xasprintf("%s:%zu", name, lines.number);
		const struct setting *row = settings_find(entry.key);
		size_t *first =
		    row != NULL ? &seen[row - settings_table()] : NULL;

		if (first != NULL && *first != 0)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: %s is already set in line %zu", origin,
			    entry.key, *first);
		if (first != NULL)
			*first = lines.number;
		if (settings_set(
			s, source, entry.key, entry.value.buf, origin, dg) != 0)
			return -1;
	}
	return rc;
}

/* Returned: the row's variable, DRYDOCK_MEMORY for memory. */
static char *
variable_name(const struct setting *row)
{
	char *name = xasprintf(ENV_PREFIX "%s", row->name);

	for (char *p = name; *p != '\0'; p++)
		*p = text_upper(*p);
	return name;
}

static int
set_variable(struct settings *s, const char *entry, struct diag *dg)
{
	const char *equals = strchr(entry, '=');
	cleanup_strvec struct strvec variables = STRVEC_INIT;
	cleanup_free char *name = NULL;
	cleanup_free char *what = NULL;
	struct nearest near;

	if (equals == NULL || equals[1] == '\0')
		return 0;
	name = xstrndup(entry, (size_t)(equals - entry));
	/* Sessions set the last two, and drydock may run in a session. */
	if (strncmp(name, ENV_PREFIX "TEST_", 13) == 0 ||
	    strcmp(name, ENV_PREFIX "VERSION") == 0 ||
	    strcmp(name, ENV_PREFIX "SESSION") == 0)
		return 0;
	nearest_init(&near, name);
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		char *variable = variable_name(row);

		strvec_push_given(&variables, variable);
		if (strcmp(variable, name) == 0)
			return set_row(
			    s, row, SETTINGS_ENVIRONMENT, equals + 1, name, dg);
		nearest_offer(&near, variable);
	}
	what = xasprintf("environment: unknown variable %s", name);
	return fail_unknown(what, &near, dg);
}

/* Reads one file of the configuration directory.  *ret_any: it has text. */
static int
load_file(struct settings *s, enum settings_source source,
    const struct paths *paths, const char *name, bool *ret_any, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *file = xasprintf("%s/%s", paths->config_dir, name);

	if (paths_read_config_file(paths, name, SETTINGS_FILE_MAX, &text, dg) !=
	    0)
		return -1;
	*ret_any = text.len > 0;
	return settings_parse(s, source, file, text.buf, text.len, dg);
}

int
settings_load(struct settings *s, const struct paths *paths,
    const char *const *environ_, struct diag *dg)
{
	bool ignored;

	if (load_file(
		s, SETTINGS_FILE, paths, SETTINGS_FILE_NAME, &ignored, dg) != 0)
		return -1;
	for (; *environ_ != NULL; environ_++) {
		if (strncmp(*environ_, ENV_PREFIX, strlen(ENV_PREFIX)) == 0 &&
		    set_variable(s, *environ_, dg) != 0)
			return -1;
	}
	return 0;
}

int
settings_load_project(struct settings *s, const struct paths *paths,
    const struct project *project, struct diag *dg)
{
	cleanup_free char *name = project_file(project, SETTINGS_FILE_NAME);

	return load_file(s, SETTINGS_PROJECT, paths, name, &s->of_project, dg);
}

enum settings_source
settings_source(const struct settings *s, const char *name)
{
	return s->sources[settings_find(name) - settings_table()];
}

char *
settings_option_name(const char *setting)
{
	char *option = xstrdup(setting);

	for (char *p = option; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	return option;
}

char *
settings_source_text(const struct settings *s, const struct setting *row,
    const struct paths *paths, const struct project *project)
{
	enum settings_source source = s->sources[row - settings_table()];
	cleanup_free char *name = NULL;
	cleanup_free char *option = NULL;

	switch (source) {
	case SETTINGS_DEFAULT:
		return xstrdup("default");
	case SETTINGS_FILE:
	case SETTINGS_PROJECT:
		name = project_file(source == SETTINGS_PROJECT ? project : NULL,
		    SETTINGS_FILE_NAME);
		return xasprintf("%s/%s", paths->config_dir, name);
	case SETTINGS_ENVIRONMENT:
		return variable_name(row);
	case SETTINGS_OPTION:
		break;
	}
	option = settings_option_name(row->name);
	return xasprintf("--%s", option);
}
