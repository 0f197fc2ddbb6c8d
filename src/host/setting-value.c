/* SPDX-License-Identifier: MIT */
/* setting-value: a parser and a printer for each type of setting. */

#include "host/setting-value.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/text.h"

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
parse_bool(const char *text, int64_t *ret_value)
{
	if (strcmp(text, "yes") == 0)
		*ret_value = 1;
	else if (strcmp(text, "no") == 0)
		*ret_value = 0;
	else
		return false;
	return true;
}

static bool
parse_number(enum setting_type type, const char *text, int64_t *ret_value)
{
	const char *rest = text;

	switch (type) {
	case SETTING_INT:
		*ret_value = take_digits(&rest);
		return *ret_value >= 0 && *rest == '\0';
	case SETTING_SIZE:
		return parse_units(text, size_units, ret_value);
	case SETTING_CPUS:
		return parse_cpus(text, ret_value);
	case SETTING_DURATION:
		return parse_units(text, duration_units, ret_value);
	case SETTING_BOOL:
		return parse_bool(text, ret_value);
	case SETTING_STRING:
	case SETTING_WORDS:
		break;
	}
	return false;
}

static const char *
type_wants(enum setting_type type)
{
	switch (type) {
	case SETTING_INT:
		return "a whole number";
	case SETTING_SIZE:
		return "a size such as 512m or 4g";
	case SETTING_CPUS:
		return "a number such as 2 or 1.5";
	case SETTING_DURATION:
		return "a time with its unit, such as 15s, 2m or 500ms";
	case SETTING_BOOL:
		return "yes or no";
	case SETTING_STRING:
	case SETTING_WORDS:
		break;
	}
	return "text";
}

int
setting_value_number(const struct setting *row, const char *text,
    const char *origin, int64_t *ret_value, struct diag *dg)
{
	cleanup_strbuf struct strbuf bound = STRBUF_INIT;
	bool low;
	int64_t value = 0;

	if (!parse_number(row->type, text, &value))
		return diag_set(dg, DIAG_CONFIG, "%s: %s: \"%s\" is not %s",
		    origin, row->name, text, type_wants(row->type));
	if (value >= row->min && value <= row->max) {
		*ret_value = value;
		return 0;
	}
	low = value < row->min;
	setting_value_print(row->type, low ? row->min : row->max, &bound);
	return diag_set(dg, DIAG_CONFIG, "%s: %s: %s is %s than %s", origin,
	    row->name, text, low ? "less" : "more", bound.buf);
}

int
setting_value_check(const struct setting *row, const char *text,
    const char *origin, struct diag *dg)
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

int
setting_value_words(const struct setting *row, const char *text,
    const char *origin, struct strvec *ret_words, struct diag *dg)
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
		if (setting_value_check(row, word, origin, dg) != 0)
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

void
setting_value_print(enum setting_type type, int64_t value, struct strbuf *out)
{
	switch (type) {
	case SETTING_SIZE:
		print_units(size_units, value, out);
		break;
	case SETTING_DURATION:
		print_units(duration_units, value, out);
		break;
	case SETTING_CPUS:
		print_cpus(value, out);
		break;
	case SETTING_BOOL:
		strbuf_addstr(out, value != 0 ? "yes" : "no");
		break;
	case SETTING_INT:
	case SETTING_STRING:
	case SETTING_WORDS:
		strbuf_addf(out, "%lld", (long long)value);
		break;
	}
}
