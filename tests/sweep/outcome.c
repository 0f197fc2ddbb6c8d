/* SPDX-License-Identifier: MIT */
/* outcome: a number of what a run left. */
#include "outcome.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "tree.h"

#define ID 8
#define HEX_LEAST 32
#define WORLD "bin/world.d/"
#define CONTAINERS WORLD "containers/"

/* Most texts differ at once. */
static bool
starts(const char *s, const char *with)
{
	return *s == *with && strncmp(s, with, strlen(with)) == 0;
}

static void
look_in(const struct chance *c, const char *name, struct strvec *ids)
{
	cleanup_free char *path =
	    xasprintf("%s/state/drydock/%s", c->top, name);
	DIR *dir = opendir(path);

	if (dir == NULL)
		return;
	for (struct dirent *d; (d = readdir(dir)) != NULL;)
		if (strlen(d->d_name) == ID)
			strvec_push(ids, d->d_name);
	(void)closedir(dir);
}

void
chance_look(const struct chance *c, struct strvec *ids)
{
	strvec_release(ids);
	look_in(c, "sessions", ids);
	look_in(c, "trash", ids);
}

static bool
starts_with_any(const char *s, const struct strvec *ids)
{
	for (size_t i = 0; i < ids->nr; i++)
		if (starts(s, ids->v[i]))
			return true;
	return false;
}

static bool
is_id(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789");

	return n == ID;
}

/* How long what is here by chance is; 0, and what stands for it. */
static size_t
find_chance(const struct chance *c, const char *s, const char **ret_word)
{
	static const char *const before_id[] = { "drydock-", "session ",
		"drydock.session\":\"", "drydock.session\": \"" };
	static const char history[] = "history/";
	static const char scratch[] = "scratch/";
	static const char process[] = "_process\": \"";
	size_t n;

	*ret_word = "ROOT";
	if (starts(s, c->top))
		return strlen(c->top);
	*ret_word = "SESSION";
	if (starts_with_any(s, &c->before) || starts_with_any(s, &c->now))
		return ID;
	for (size_t i = 0; i < ARRAY_SIZE(before_id); i++)
		if (starts(s, before_id[i]) && is_id(s + strlen(before_id[i])))
			return strlen(before_id[i]) + ID;
	/* A process: its pid and its start time. */
	*ret_word = process;
	if (starts(s, process))
		return strlen(process) +
		    strspn(s + strlen(process), "0123456789 ");
	*ret_word = scratch;
	if (starts(s, scratch))
		return strlen(scratch) +
		    strspn(s + strlen(scratch),
			"abcdefghijklmnopqrstuvwxyz0123456789");
	*ret_word = history;
	n = strlen(history);
	if (!starts(s, history))
		return 0;
	n += strspn(s + n, "0123456789abcdef");
	return s[n] == '-' ? n + 1 : 0;
}

/* The same at the beginning of a word: a digest, an id of the engine's, a time
 * as RFC 3339 has it. */
static size_t
find_word(const char *s, const char **ret_word)
{
	size_t n = strspn(s, "0123456789abcdef");

	*ret_word = "HEX";
	if (n >= HEX_LEAST && !isalnum((unsigned char)s[n]))
		return n;
	*ret_word = "TIME";
	if (n == 4 && s[4] == '-' && isdigit((unsigned char)s[5]) &&
	    s[7] == '-' && strchr(s, 'T') == s + 10)
		return 11 + strspn(s + 11, "0123456789:.Z");
	return 0;
}

static void
make_plain(const struct chance *c, const char *text, size_t len, bool numbers,
    struct strbuf *out)
{
	const char *end = text + len;
	bool begins = true;

	for (const char *s = text; s < end;) {
		const char *word;
		size_t n = find_chance(c, s, &word);

		if (n == 0 && begins)
			n = find_word(s, &word);
		if (n == 0 && numbers && isdigit((unsigned char)*s)) {
			n = strspn(s, "0123456789");
			word = "N";
		}
		if (n > 0) {
			strbuf_addstr(out, word);
			s += n;
			begins = false;
			continue;
		}
		begins = !isalnum((unsigned char)*s);
		strbuf_addch(out, *s++);
	}
}

static uint64_t
sum_bytes(const struct strbuf *b)
{
	char hex[DIGEST_HEX_SIZE];

	digest_bytes(b->buf, b->len, hex);
	hex[16] = '\0';
	return strtoull(hex, NULL, 16);
}

uint64_t
chance_sum(const struct chance *c, const char *text, size_t len)
{
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;

	make_plain(c, text, len, false, &plain);
	return sum_bytes(&plain);
}

/* Of the stub's world: what drydock can see or change. */
static bool
counts(const char *path)
{
	static const char *const seen[] = { "images/", "tags", "passed", "id",
		"complaints" };
	static const char *const of_container[] = { "/labels", "/role", "/live",
		"/stray" };
	const char *slash;

	if (!starts(path, WORLD))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		if (starts(path + strlen(WORLD), seen[i]))
			return true;
	slash = starts(path, CONTAINERS)
	    ? strchr(path + strlen(CONTAINERS), '/')
	    : NULL;
	for (size_t i = 0; slash != NULL && i < ARRAY_SIZE(of_container); i++)
		if (strcmp(slash, of_container[i]) == 0)
			return true;
	return false;
}

struct looker {
	struct tree *tree;
	const struct chance *chance;
	uint64_t sum; /* of all, in any order */
};

/* Returns the length of a name without its chance: ".NAME.RANDOM". */
static size_t
temporary_front(const char *name, size_t len)
{
	size_t dot = len;

	while (dot > 0 && name[dot - 1] != '.')
		dot--;
	if (len == 0 || name[0] != '.' || dot < 3 || len - dot < 8 ||
	    len - dot > 12 ||
	    strspn(name + dot, "abcdefghijklmnopqrstuvwxyz0123456789") <
		len - dot)
		return 0;
	return dot;
}

/* Where a file lies; a name under which one is being written is any. */
static void
add_path(const struct looker *l, const char *path, struct strbuf *line)
{
	cleanup_strbuf struct strbuf fixed = STRBUF_INIT;

	for (const char *at = path; *at != '\0';) {
		size_t len = strcspn(at, "/");
		size_t front = temporary_front(at, len);

		strbuf_add(&fixed, at, front == 0 ? len : front);
		if (front != 0)
			strbuf_addstr(&fixed, "TEMPORARY");
		at += len;
		if (*at == '/')
			strbuf_addch(&fixed, *at++);
	}
	make_plain(l->chance, fixed.buf, fixed.len, false, line);
}

static uint64_t
sum_entry(struct looker *l, int dir_fd, const char *path, const struct stat *st)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_free char *data = NULL;
	size_t len;

	data = tree_read(dir_fd, path, st, &len);
	if (counts(path)) {
		add_path(l, path, &line);
		strbuf_addf(
		    &line, " %o %ld ", (unsigned)st->st_mode, (long)st->st_uid);
		/* Inodes and times are in a manifest. */
		make_plain(l->chance, data, len,
		    strstr(path, "manifest") != NULL, &line);
	}
	if (memmem(data, len, l->chance->secret, strlen(l->chance->secret)) !=
	    NULL) {
		add_path(l, path, &line);
		strbuf_addstr(&line, " has the secret");
	}
	return line.len == 0 ? 0 : sum_bytes(&line);
}

static void
look(void *arg, int dir_fd, const char *path, const struct stat *st)
{
	struct looker *l = arg;
	struct tree_entry *e = tree_same(l->tree, path, st);

	if (e == NULL) {
		l->sum += sum_entry(l, dir_fd, path, st);
		return;
	}
	if (!e->summed) {
		e->sum = sum_entry(l, dir_fd, path, st);
		e->summed = true;
	}
	l->sum += e->sum;
}

/* What a file of one line says, up to its nth blank. */
static void
add_words(const char *dir, const char *name, int n, struct strbuf *line)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	cleanup_fclose FILE *f = fopen(path, "re");
	int c;

	while (f != NULL && (c = getc(f)) != EOF && c != '\n')
		if (c == ' ' && --n == 0)
			break;
		else
			strbuf_addch(line, (char)c);
	strbuf_addch(line, ' ');
}

bool
outcome_is_alive(int pid)
{
	cleanup_free char *dir = xasprintf("/proc/%d", pid);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *how;

	add_words(dir, "stat", 8, &text);
	how = strrchr(text.buf, ')');
	return how != NULL && how[1] == ' ' && strchr("ZX", how[2]) == NULL;
}

/* Which it is, and how: what is written of it, and whether that is so. */
static void
add_container(const char *dir, struct strbuf *line)
{
	static const char running[] = "running ";
	cleanup_strbuf struct strbuf state = STRBUF_INIT;
	cleanup_free char *live = xasprintf("%s/live", dir);

	add_words(dir, "state", 2, &state);
	add_words(dir, "role", 1, line);
	strbuf_addstr(line, access(live, F_OK) == 0 ? "live " : "");
	if (starts(state.buf, running))
		strbuf_addstr(line,
		    outcome_is_alive(atoi(state.buf + strlen(running)))
			? "runs"
			: "dead");
	else
		strbuf_addstr(line, state.buf);
}

static uint64_t
sum_containers(const struct chance *c)
{
	cleanup_free char *top = xasprintf("%s/" CONTAINERS, c->top);
	DIR *dir = opendir(top);
	uint64_t sum = 0;

	if (dir == NULL)
		return 0;
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		cleanup_free char *path = xasprintf("%s%s", top, d->d_name);

		if (d->d_name[0] == '.')
			continue;
		add_container(path, &line);
		sum += sum_bytes(&line);
	}
	(void)closedir(dir);
	return sum;
}

uint64_t
outcome_state(struct tree *t, const struct chance *c)
{
	struct looker l = { t, c, 0 };

	tree_walk(t, "", look, &l);
	return l.sum + sum_containers(c);
}
