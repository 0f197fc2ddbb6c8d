/* SPDX-License-Identifier: MIT */
/* Edits one entry of a Cargo.lock and keeps all other bytes. */
#include "deps/cargoredirect.h"

#include <stdbool.h>
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/cargolock.h"

#define WHAT "Cargo.lock"

/* Finds the only entry of this name and version. */
static int
find_entry(const struct cargolock *lock, const char *name, const char *version,
    const struct cargolock_package **ret_package, struct diag *dg)
{
	size_t found;

	*ret_package = cargolock_find(lock->v, lock->nr, name, version, &found);
	if (found > 1)
		return diag_set(dg, DIAG_DATA,
		    WHAT ": %s %s comes from two sources", name, version);
	if (found == 0)
		return diag_set(dg, DIAG_CONFIG, WHAT " does not have %s %s",
		    name, version);
	return 0;
}

/* Returns true if the line between the two has the key. */
static bool
has_key(const char *line, const char *end, const char *key)
{
	size_t n = strlen(key);

	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return (size_t)(end - line) > n && memcmp(line, key, n) == 0 &&
	    strchr(" \t=", line[n]) != NULL;
}

static const char *
next_line(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline == NULL ? end : newline + 1;
}

/* Appends an entry's lines without source and checksum. */
static void
add_redirected(struct strbuf *out, const char *entry, size_t len)
{
	for (const char *at = entry, *end = entry + len; at < end;) {
		const char *next = next_line(at, end);

		if (!has_key(at, next, "source") &&
		    !has_key(at, next, "checksum"))
			strbuf_add(out, at, (size_t)(next - at));
		else if (next[-1] != '\n')
			/* The last line goes with the line end before it. */
			while (out->len > 0 &&
			    strchr("\r\n", out->buf[out->len - 1]) != NULL)
				strbuf_setlen(out, out->len - 1);
		at = next;
	}
}

/* Appends the fragment's line of this key, without its line end. */
static void
add_line(struct strbuf *out, const char *fragment, const char *key)
{
	const char *end = fragment + strlen(fragment);

	for (const char *at = fragment; at < end; at = next_line(at, end))
		if (has_key(at, next_line(at, end), key))
			strbuf_add(out, at, strcspn(at, "\r\n"));
}

/* Appends an entry with the fragment's source and checksum. */
static void
add_restored(
    struct strbuf *out, const char *entry, size_t len, const char *fragment)
{
	/* The entry's last line is without its end. */
	size_t first = strcspn(entry, "\n");
	const char *eol = first > 0 && entry[first - 1] == '\r' ? "\r\n" : "\n";

	for (const char *at = entry, *end = entry + len; at < end;) {
		const char *next = next_line(at, end);
		bool is_last = next[-1] != '\n';

		strbuf_add(out, at, (size_t)(next - at));
		if (has_key(at, next, "version")) {
			strbuf_addstr(out, is_last ? eol : "");
			add_line(out, fragment, "source");
			strbuf_addstr(out, eol);
			add_line(out, fragment, "checksum");
			strbuf_addstr(out, is_last ? "" : eol);
		}
		at = next;
	}
}

int
cargoredirect_add(const char *text, size_t len, const char *name,
    const char *version, struct strbuf *out, struct strbuf *fragment,
    struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	const struct cargolock_package *p;

	if (cargolock_parse(&lock, text, len, WHAT, dg) != 0 ||
	    find_entry(&lock, name, version, &p, dg) != 0)
		return -1;
	if (!cargolock_is_crates_io(p) || p->checksum.kind == DIGEST_NONE)
		return diag_set(dg, DIAG_CONFIG,
		    WHAT ": %s %s is not from crates.io with a checksum", name,
		    version);
	strbuf_add(fragment, text + p->start, p->end - p->start);
	strbuf_add(out, text, p->start);
	add_redirected(out, text + p->start, p->end - p->start);
	strbuf_add(out, text + p->end, len - p->end);
	return 0;
}

/* Reads a fragment as a lock of one entry. */
static int
read_fragment(const char *fragment, const char *name, const char *version,
    struct digest *ret_checksum, struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct cargolock_package *p;

	strbuf_addf(&text, "version = 4\n%s", fragment);
	if (cargolock_parse(&lock, text.buf, text.len, "the kept entry", dg) !=
	    0)
		return -1;
	p = lock.v;
	if (lock.nr != 1 || strcmp(p->name, name) != 0 ||
	    strcmp(p->version, version) != 0 || !cargolock_is_crates_io(p) ||
	    p->checksum.kind == DIGEST_NONE ||
	    p->end - p->start != strlen(fragment))
		return diag_set(dg, DIAG_DATA,
		    "the kept entry of " WHAT " is not that of %s %s", name,
		    version);
	*ret_checksum = p->checksum;
	return 0;
}

int
cargoredirect_judge(const char *fragment, const char *name, const char *version,
    const struct digest *checksum, struct diag *dg)
{
	struct digest found;

	if (read_fragment(fragment, name, version, &found, dg) != 0)
		return -1;
	if (digest_equal(&found, checksum))
		return 0;
	return diag_set(dg, DIAG_DATA,
	    "the kept entry of " WHAT " has another checksum of %s %s", name,
	    version);
}

int
cargoredirect_remove(const char *text, size_t len, const char *name,
    const char *version, const char *fragment, struct strbuf *out,
    struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_strbuf struct strbuf redirected = STRBUF_INIT;
	const struct cargolock_package *p;
	struct digest checksum;

	if (read_fragment(fragment, name, version, &checksum, dg) != 0 ||
	    cargolock_parse(&lock, text, len, WHAT, dg) != 0 ||
	    find_entry(&lock, name, version, &p, dg) != 0)
		return -1;
	if (p->source != NULL)
		return diag_set(dg, DIAG_NO,
		    WHAT ": the entry of %s %s is not redirected", name,
		    version);
	add_redirected(&redirected, fragment, strlen(fragment));
	strbuf_add(out, text, p->start);
	if (p->end - p->start == redirected.len &&
	    memcmp(text + p->start, redirected.buf, redirected.len) == 0)
		strbuf_addstr(out, fragment);
	else
		add_restored(out, text + p->start, p->end - p->start, fragment);
	strbuf_add(out, text + p->end, len - p->end);
	return 0;
}
