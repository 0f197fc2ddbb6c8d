/* SPDX-License-Identifier: MIT */
/* answer: checks the result of a command, and parses parts of answers. */
#include "engine/answer.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"

/* docker commands that have subcommands: the name includes the subcommand. */
static const char *const groups[] = { "buildx", "compose" };

/* The setting that limits a command.  Other commands have engine_timeout. */
static const struct {
	const char *command;
	const char *setting;
} deadlines[] = {
	{ "build", "build_timeout" },
	{ "up", "launch_timeout" },
};

static const struct {
	const char *words;
	const char *advice;
} advices[] = {
	{ "no space left on device",
	    "free space on the disk that holds the engine's data (docker "
	    "system df shows what uses it)" },
	{ "disk quota exceeded",
	    "free space on the disk that holds the engine's data" },
	{ "permission denied while trying to connect",
	    "join the group of the engine's socket with \"sudo usermod -aG "
	    "docker $USER\", then log in again" },
	{ "cannot connect to the docker daemon",
	    "start the engine with \"systemctl start docker\", or name "
	    "another with --engine PATH or engine = PATH in drydock.conf" },
	{ "no such image", "build the images again: drydock build" },
	{ "is not a docker command", "install Docker Compose v2" },
};

/* Returns the next word that is not an option, or NULL, and advances argv. */
static const char *
next_word(const char *const **argv)
{
	while (**argv != NULL && ***argv == '-')
		(*argv)++;
	return **argv == NULL ? NULL : *(*argv)++;
}

const char *
answer_command_name(const char *const *argv, struct strbuf *out)
{
	const char *slash = strrchr(argv[0], '/');
	const char *word;

	strbuf_addstr(out, slash == NULL ? argv[0] : slash + 1);
	argv++;
	word = next_word(&argv);
	for (size_t i = 0; word != NULL && i < ARRAY_SIZE(groups); i++) {
		const char *second;

		if (strcmp(word, groups[i]) != 0)
			continue;
		second = next_word(&argv);
		strbuf_addf(out, " %s", word);
		word = second;
		break;
	}
	if (word != NULL)
		strbuf_addf(out, " %s", word);
	return word;
}

static const char *
deadline_setting(const char *command)
{
	for (size_t i = 0; command != NULL && i < ARRAY_SIZE(deadlines); i++)
		if (strcmp(command, deadlines[i].command) == 0)
			return deadlines[i].setting;
	return "engine_timeout";
}

int
answer_is_whole(const char *const *argv, const struct proc_result *result,
    int timeout_ms, struct diag *dg)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	const char *command = answer_command_name(argv, &name);
	bool seconds = timeout_ms % 1000 == 0;

	if (result->timed_out)
		diag_set(dg, DIAG_ENGINE,
		    "%s did not answer within %d%s (setting %s)", name.buf,
		    seconds ? timeout_ms / 1000 : timeout_ms,
		    seconds ? "s" : "ms", deadline_setting(command));
	else if (result->truncated)
		diag_set(dg, DIAG_ENGINE,
		    "the answer of %s is larger than drydock reads, and is "
		    "not used",
		    name.buf);
	else
		return 0;
	if (result->err.len > 0)
		diag_add_detail(dg, result->err.buf, result->err.len);
	return -1;
}

const char *
answer_advice(const char *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (strcasestr(words, advices[i].words) != NULL)
			return advices[i].advice;
	return NULL;
}

int
answer_failed(
    const char *const *argv, const struct proc_result *result, struct diag *dg)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	const char *advice = answer_advice(result->err.buf);

	(void)answer_command_name(argv, &name);
	if (advice != NULL)
		diag_set(dg, DIAG_ENGINE, "%s failed: %s", name.buf, advice);
	else
		diag_set(dg, DIAG_ENGINE, "%s failed with status %d", name.buf,
		    result->status);
	if (result->err.len > 0)
		diag_add_detail(dg, result->err.buf, result->err.len);
	return -1;
}

bool
answer_is_container_id(const char *s)
{
	return strspn(s, "0123456789abcdef") == CONTAINER_ID_LEN &&
	    s[CONTAINER_ID_LEN] == '\0';
}

bool
answer_is_image_id(const char *s)
{
	return strncmp(s, "sha256:", 7) == 0 && answer_is_container_id(s + 7);
}

/*
 * Parses up to six digits, so that no number overflows.  Returns the end, or
 * NULL if there is no number or it is longer.
 */
static const char *
parse_number(const char *p, int *ret_value)
{
	int value = 0;
	int digits = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (++digits > 6)
			return NULL;
		value = value * 10 + (*p - '0');
	}
	if (digits == 0)
		return NULL;
	*ret_value = value;
	return p;
}

bool
version_parse(const char *text, struct version *ret_version)
{
	struct version v;
	const char *p = text;

	if (*p == 'v')
		p++;
	p = parse_number(p, &v.major);
	if (p == NULL || *p != '.')
		return false;
	p = parse_number(p + 1, &v.minor);
	if (p == NULL)
		return false;
	*ret_version = v;
	return true;
}

bool
version_before(struct version a, struct version b)
{
	if (a.major != b.major)
		return a.major < b.major;
	return a.minor < b.minor;
}

static bool
absent(const struct json *n)
{
	return n == NULL || json_is_null(n);
}

bool
answer_read_strings(const struct json *array, struct strvec *out)
{
	if (absent(array))
		return true;
	if (!json_is_array(array))
		return false;
	for (size_t i = 0; i < json_len(array); i++) {
		const char *s = json_string(json_at(array, i));

		if (s == NULL)
			return false;
		strvec_push(out, s);
	}
	return true;
}

bool
answer_read_labels(const struct json *object, struct strvec *out)
{
	if (absent(object))
		return true;
	if (!json_is_object(object))
		return false;
	for (size_t i = 0; i < json_len(object); i++) {
		const char *value = json_string(json_value_at(object, i));

		if (value == NULL)
			return false;
		strvec_pushf(out, "%s=%s", json_key_at(object, i), value);
	}
	return true;
}

int
answer_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	return json_parse(text, len, what, ret_root, dg) == 0
	    ? 0
	    : diag_reclass(dg, DIAG_ENGINE);
}
