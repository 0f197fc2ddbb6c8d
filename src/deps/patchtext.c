/* SPDX-License-Identifier: MIT */
/* Reads a unified diff line by line; any other line is refused. */
#include "deps/patchtext.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"

#define MAX_NAME ((size_t)1024)
#define MAX_DIGITS ((size_t)9)
#define DIGITS "0123456789"
#define OPTION_CHARS ASCII_ALNUM "-= "
#define NO_NEWLINE "\\ No newline at end of file"

/* One side of a file: before the patch, and after it. */
struct side {
	bool absent; /* the time says that the file does not exist */
	bool empty; /* a hunk says that the file has no line */
	bool ended; /* no line can follow */
	size_t next; /* number of the first line behind the last hunk */
	size_t start; /* of this hunk: its first line */
	size_t left; /* of this hunk: lines that must follow */
};

struct name {
	char *text; /* owned */
	size_t line;
};

struct parser {
	const char *text;
	size_t len;
	size_t at; /* of the next line */
	const char *line; /* without its newline */
	size_t line_len;
	size_t number; /* of the line, from 1 */
	const char *what;
	struct diag *dg;
	struct name *names; /* owned; in the text's order */
	size_t nr;
	size_t alloc;
	struct side sides[2]; /* of the file */
	size_t hunks; /* of the file */
};

static int
refuse(const struct parser *p, const char *why)
{
	return diag_set(
	    p->dg, DIAG_DATA, "%s: line %zu: %s", p->what, p->number, why);
}

/* Moves to the next line.  Fails for a last line without a newline. */
static int
next_line(struct parser *p)
{
	const char *end;

	p->line = p->text + p->at;
	p->number++;
	if (p->at == p->len)
		return refuse(p, "the patch ends too early");
	end = memchr(p->line, '\n', p->len - p->at);
	if (end == NULL)
		return refuse(p, "a line without a newline");
	p->line_len = (size_t)(end - p->line);
	p->at += p->line_len + 1;
	return 0;
}

/* Returns true if the next line begins with these characters. */
static bool
next_is(const struct parser *p, const char *front)
{
	size_t n = strlen(front);

	return p->len - p->at >= n && memcmp(p->text + p->at, front, n) == 0;
}

static bool
line_starts(const struct parser *p, const char *front)
{
	size_t n = strlen(front);

	return p->line_len >= n && memcmp(p->line, front, n) == 0;
}

/* Relative, without empty components, ".", "..", blanks and quotes. */
static bool
name_is_sound(const char *name, size_t len)
{
	size_t from = 0;

	if (len > MAX_NAME)
		return false;
	for (size_t i = 0; i <= len; i++) {
		const char *part = name + from;
		size_t n = i - from;

		if (i < len && name[i] != '/') {
			if (name[i] <= ' ' || name[i] >= 0x7f ||
			    strchr("\"'\\", name[i]) != NULL)
				return false;
			continue;
		}
		if (n == 0 || (n == 1 && part[0] == '.') ||
		    (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		from = i + 1;
	}
	return true;
}

/* Two digits, up to max. */
static bool
is_pair(const char *s, int max)
{
	return s[0] >= '0' && s[0] <= '9' && s[1] >= '0' && s[1] <= '9' &&
	    (s[0] - '0') * 10 + s[1] - '0' <= max;
}

static int
pair(const char *s)
{
	return (s[0] - '0') * 10 + s[1] - '0';
}

/*
 * "2001-02-03 04:05:06.789000000 +0000".  The epoch, in any time zone, says
 * that there is no such file.
 */
static bool
take_time(const char *text, bool *ret_absent)
{
	static const char form[] = "dddd-dd-dd dd:dd:dd";
	cleanup_free char *epoch = NULL;
	const char *zone;
	int minutes;

	for (size_t i = 0; i < strlen(form); i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9'
				   : text[i] != form[i])
			return false;
	if (!is_pair(text + 5, 12) || !is_pair(text + 8, 31) ||
	    !is_pair(text + 11, 23) || !is_pair(text + 14, 59) ||
	    !is_pair(text + 17, 59))
		return false;
	zone = text + strlen(form);
	if (*zone == '.') {
		size_t n = strspn(zone + 1, DIGITS);

		if (n == 0 || n > MAX_DIGITS)
			return false;
		zone += 1 + n;
	}
	if (zone[0] != ' ' || (zone[1] != '+' && zone[1] != '-') ||
	    !is_pair(zone + 2, 14) || !is_pair(zone + 4, 59) || zone[6] != '\0')
		return false;
	minutes = 60 * pair(zone + 2) + pair(zone + 4);
	if (zone[1] == '-')
		minutes = -minutes;
	epoch = minutes >= 0
	    ? xasprintf("1970-01-01 %02d:%02d:00", minutes / 60, minutes % 60)
	    : xasprintf("1969-12-31 %02d:%02d:00", (1440 + minutes) / 60,
		  (1440 + minutes) % 60);
	*ret_absent = strncmp(text, epoch, strlen(form)) == 0;
	return true;
}

/* Reads "--- a/NAME<tab>TIME".  ret_name is borrowed from the text. */
static int
take_side(struct parser *p, const char *front, struct side *side,
    const char **ret_name, size_t *ret_len)
{
	cleanup_free char *time = NULL;
	const char *name;
	const char *tab;
	size_t len;

	if (next_line(p) != 0)
		return -1;
	if (!line_starts(p, front))
		return diag_set(p->dg, DIAG_DATA,
		    "%s: line %zu: \"%sNAME\" is expected here", p->what,
		    p->number, front);
	name = p->line + strlen(front);
	len = p->line_len - strlen(front);
	tab = memchr(name, '\t', len);
	if (tab == NULL)
		return refuse(p, "no tab and time behind the file's name");
	time = xstrndup(tab + 1, (size_t)(name + len - tab - 1));
	if (!take_time(time, &side->absent))
		return refuse(p, "not a time as diff writes it");
	len = (size_t)(tab - name);
	if (!name_is_sound(name, len))
		return refuse(p,
		    "a file name that is not below the package, or has blanks "
		    "or quotes");
	*ret_name = name;
	*ret_len = len;
	return 0;
}

/* Reads the line "diff OPTIONS a/NAME b/NAME", which patch(1) ignores. */
static int
take_command(struct parser *p, const char **ret_names, size_t *ret_len)
{
	static const char bad[] = "not \"diff -ruN a/NAME b/NAME\"";
	const char *names;

	if (next_line(p) != 0)
		return -1;
	names = memmem(p->line, p->line_len, " a/", 3);
	if (names == NULL || !line_starts(p, "diff -") ||
	    line_starts(p, "diff --git"))
		return refuse(p, bad);
	for (const char *c = p->line; c < names; c++)
		if (strchr(OPTION_CHARS, *c) == NULL)
			return refuse(p, bad);
	*ret_names = names;
	*ret_len = p->line_len - (size_t)(names - p->line);
	return 0;
}

static int
take_header(struct parser *p)
{
	const char *names = NULL;
	const char *old;
	const char *new;
	const char *name;
	cleanup_free char *want = NULL;
	size_t names_len = 0;
	size_t old_len;
	size_t new_len;

	for (size_t i = 0; i < 2; i++)
		p->sides[i] = (struct side){ .next = 1 };
	p->hunks = 0;
	if (next_is(p, "diff ") && take_command(p, &names, &names_len) != 0)
		return -1;
	if (take_side(p, "--- a/", &p->sides[0], &old, &old_len) != 0 ||
	    take_side(p, "+++ b/", &p->sides[1], &new, &new_len) != 0)
		return -1;
	if (old_len != new_len || memcmp(old, new, old_len) != 0)
		return refuse(p, "not the name of the line above");
	if (p->sides[0].absent && p->sides[1].absent)
		return refuse(p, "a file that exists on neither side");
	if (p->nr == p->alloc) {
		p->alloc = p->alloc == 0 ? 16 : 2 * p->alloc;
		p->names = xreallocarray(p->names, p->alloc, sizeof(*p->names));
	}
	p->names[p->nr++] = (struct name){
		.text = xstrndup(new, new_len),
		.line = p->number,
	};
	name = p->names[p->nr - 1].text;
	want = xasprintf(" a/%s b/%s", name, name);
	if (names == NULL ||
	    (names_len == strlen(want) && memcmp(names, want, names_len) == 0))
		return 0;
	return refuse(p, "not the file that the line \"diff\" names");
}

/* A decimal number without leading zeros. */
static bool
take_number(const char **at, size_t *ret_number)
{
	size_t n = strspn(*at, DIGITS);
	size_t number = 0;

	if (n == 0 || n > MAX_DIGITS || (n > 1 && **at == '0'))
		return false;
	for (size_t i = 0; i < n; i++)
		number = 10 * number + (size_t)((*at)[i] - '0');
	*at += n;
	*ret_number = number;
	return true;
}

/* "LINE" or "LINE,COUNT"; an empty file is "0,0". */
static bool
take_range(const char **at, char sign, struct side *side)
{
	if (*(*at)++ != sign || !take_number(at, &side->start))
		return false;
	side->left = 1;
	if (**at == ',') {
		(*at)++;
		if (!take_number(at, &side->left))
			return false;
	}
	side->empty = side->left == 0;
	return side->empty == (side->start == 0);
}

/*
 * Checks a hunk's place.  patch(1) would look for another place; here, each
 * hunk says where it is, behind the one before it.
 */
static int
check_place(const struct parser *p)
{
	const struct side *old = &p->sides[0];
	const struct side *new = &p->sides[1];

	if ((old->empty || new->empty) && p->hunks > 0)
		return refuse(p, "a second hunk for an empty file");
	if ((old->absent && !old->empty) || (new->absent && !new->empty))
		return refuse(p, "lines in a file that does not exist");
	if (old->empty || new->empty)
		/* All lines come or go. */
		return (old->empty || old->start == 1) &&
			(new->empty || new->start == 1)
		    ? 0
		    : refuse(p, "an empty file has no such line");
	if (old->start < old->next)
		return refuse(p, "a hunk that is not behind the one above");
	if (new->start < new->next ||
	    old->start - old->next != new->start - new->next)
		return refuse(p, "a hunk whose two places do not agree");
	return 0;
}

static int
take_hunk_header(struct parser *p)
{
	cleanup_free char *line = NULL;
	const char *at;

	if (next_line(p) != 0)
		return -1;
	line = xstrndup(p->line, p->line_len);
	at = line;
	if (strncmp(at, "@@ ", 3) != 0)
		return refuse(p, "\"@@\" is expected here");
	at += 3;
	if (!take_range(&at, '-', &p->sides[0]) || *at++ != ' ' ||
	    !take_range(&at, '+', &p->sides[1]) || strcmp(at, " @@") != 0)
		return refuse(p, "a malformed \"@@\" line");
	if (p->hunks > 0 && (p->sides[0].ended || p->sides[1].ended))
		return refuse(p, "a hunk behind the end of the file");
	return check_place(p);
}

/* Takes a line of a hunk, and the note that it has no newline. */
static int
take_hunk_line(struct parser *p, bool *changed)
{
	bool in[2];

	if (next_line(p) != 0)
		return -1;
	in[0] = p->line_len > 0 && strchr(" -", p->line[0]) != NULL;
	in[1] = p->line_len > 0 && strchr(" +", p->line[0]) != NULL;
	if (!in[0] && !in[1])
		return refuse(p, "fewer lines than the \"@@\" line says");
	*changed = *changed || !in[0] || !in[1];
	for (size_t i = 0; i < 2; i++) {
		if (!in[i])
			continue;
		if (p->sides[i].left == 0)
			return refuse(
			    p, "more lines than the \"@@\" line says");
		if (p->sides[i].ended)
			return refuse(p, "a line behind the end of the file");
		p->sides[i].left--;
	}
	if (!next_is(p, "\\"))
		return 0;
	if (next_line(p) != 0)
		return -1;
	if (p->line_len != strlen(NO_NEWLINE) || !line_starts(p, NO_NEWLINE))
		return refuse(p, "not \"" NO_NEWLINE "\"");
	for (size_t i = 0; i < 2; i++)
		p->sides[i].ended = p->sides[i].ended || in[i];
	return 0;
}

static int
take_hunk(struct parser *p)
{
	bool changed = false;
	size_t counts[2];

	if (take_hunk_header(p) != 0)
		return -1;
	for (size_t i = 0; i < 2; i++)
		counts[i] = p->sides[i].left;
	while (p->sides[0].left > 0 || p->sides[1].left > 0)
		if (take_hunk_line(p, &changed) != 0)
			return -1;
	if (!changed)
		return refuse(p, "a hunk that changes nothing");
	for (size_t i = 0; i < 2; i++) {
		struct side *side = &p->sides[i];

		side->next = side->start + counts[i];
		side->ended = side->ended || side->empty;
	}
	p->hunks++;
	return 0;
}

static int
take_files(struct parser *p)
{
	while (p->at < p->len) {
		if (take_header(p) != 0)
			return -1;
		do
			if (take_hunk(p) != 0)
				return -1;
		while (next_is(p, "@@"));
	}
	return p->nr > 0
	    ? 0
	    : diag_set(p->dg, DIAG_DATA, "%s: it changes no file", p->what);
}

static int
compare(const void *a, const void *b)
{
	const struct name *x = *(const struct name *const *)a;
	const struct name *y = *(const struct name *const *)b;
	int rc = strcmp(x->text, y->text);

	return rc != 0 ? rc : (x->line > y->line) - (x->line < y->line);
}

static int
refuse_duplicates(struct parser *p)
{
	cleanup_free const struct name **sorted =
	    xcalloc(p->nr + 1, sizeof(struct name *));

	for (size_t i = 0; i < p->nr; i++)
		sorted[i] = &p->names[i];
	qsort(sorted, p->nr, sizeof(struct name *), compare);
	for (size_t i = 1; i < p->nr; i++)
		if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
			return diag_set(p->dg, DIAG_DATA,
			    "%s: line %zu: %s occurs twice", p->what,
			    sorted[i]->line, sorted[i]->text);
	return 0;
}

int
patchtext_judge(const char *text, size_t len, const char *what,
    struct strvec *ret_names, struct diag *dg)
{
	struct parser p = {
		.text = text,
		.len = len,
		.what = what,
		.dg = dg,
	};
	int rc;

	if (len > PATCHTEXT_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    PATCHTEXT_MAX_SIZE);
	if (memchr(text, '\0', len) != NULL)
		return diag_set(dg, DIAG_DATA, "%s: a NUL character", what);
	rc = take_files(&p);
	if (rc == 0)
		rc = refuse_duplicates(&p);
	for (size_t i = 0; i < p.nr; i++) {
		if (rc == 0)
			strvec_push_given(ret_names, p.names[i].text);
		else
			free(p.names[i].text);
	}
	free(p.names);
	return rc;
}
