/* SPDX-License-Identifier: MIT */
/*
 * manifest: records that end in a NUL, because a path may contain any other
 * byte.
 */
#include "sync/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"

#define NAME "manifest"
#define FORMAT "drydock manifest 1"

/* Numbers are separated by blanks.  The rest of a record is the path. */
struct fields {
	const char *at;
	bool bad;
};

static int64_t
next_number(struct fields *f)
{
	char *end = NULL;
	long long value;

	errno = 0;
	value = strtoll(f->at, &end, 10);
	if (errno != 0 || end == f->at || *end != ' ') {
		f->bad = true;
		return 0;
	}
	f->at = end + 1;
	return value;
}

/* An inode has all 64 bits: FUSE hands out such numbers. */
static uint64_t
next_inode(struct fields *f)
{
	char *end = NULL;
	unsigned long long value;

	errno = 0;
	value = strtoull(f->at, &end, 10);
	if (errno != 0 || *f->at < '0' || *f->at > '9' || *end != ' ') {
		f->bad = true;
		return 0;
	}
	f->at = end + 1;
	return value;
}

static struct timespec
next_time(struct fields *f)
{
	struct timespec t;

	t.tv_sec = (time_t)next_number(f);
	t.tv_nsec = (long)next_number(f);
	return t;
}

/* Adds one record to m.  Returns false if the record is malformed. */
static bool
read_record(struct manifest *m, const char *record)
{
	struct fields f = { record + 2, false };
	struct scan_entry e = { .kind = SCAN_FILE };
	struct scan_entry *added;

	if (record[0] == '\0' || strchr("dfjlts", record[0]) == NULL ||
	    record[1] != ' ')
		return false;
	e.kind = (enum scan_kind)record[0];
	e.why = (enum scan_why)next_number(&f);
	e.mode = (mode_t)next_number(&f);
	e.size = next_number(&f);
	e.mtime = next_time(&f);
	e.ctime = next_time(&f);
	e.ino = next_inode(&f);
	if (f.bad || *f.at == '\0' || e.why >= SCAN_NWHYS)
		return false;
	added = scan_add(&m->scan, e.kind, f.at);
	e.path = added->path;
	*added = e;
	return true;
}

/*
 * Reads the first record: the generation, the start of the scan, the number of
 * records and the rules.
 */
static bool
read_header(struct manifest *m, const char *record, int64_t *ret_count)
{
	struct fields f = { record + sizeof(FORMAT), false };

	if (strncmp(record, FORMAT " ", sizeof(FORMAT)) != 0)
		return false;
	m->generation_ino = next_inode(&f);
	m->generation_mtime = next_time(&f);
	m->scan.start = next_time(&f);
	*ret_count = next_number(&f);
	if (f.bad || strlen(f.at) != DIGEST_HEX_SIZE - 1)
		return false;
	memcpy(m->rules, f.at, DIGEST_HEX_SIZE);
	return true;
}

static bool
read_records(struct manifest *m, const struct strbuf *text)
{
	const char *end = text->buf + text->len;
	const char *at = text->buf;
	int64_t count = 0;

	if (text->len == 0 || end[-1] != '\0' || !read_header(m, at, &count))
		return false;
	for (at += strlen(at) + 1; at < end; at += strlen(at) + 1) {
		if (!read_record(m, at))
			return false;
	}
	return (int64_t)m->scan.nr == count;
}

int
manifest_read(
    int agent_fd, struct manifest *ret, bool *ret_there, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	*ret_there = false;
	if (fs_read_file(agent_fd, NAME, MANIFEST_MAX, &text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	*ret_there = read_records(ret, &text);
	if (!*ret_there)
		manifest_release(ret);
	return 0;
}

bool
manifest_is_of(const struct manifest *m, const struct stat *generation)
{
	return m->generation_ino == generation->st_ino &&
	    scan_same_time(&m->generation_mtime, &generation->st_mtim);
}

static void
add_time(struct strbuf *out, const struct timespec *t)
{
	strbuf_addf(out, "%lld %ld ", (long long)t->tv_sec, t->tv_nsec);
}

int
manifest_write(int agent_fd, const char *rules, const struct stat *generation,
    const struct scan *scan, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, FORMAT " %" PRIu64 " ", (uint64_t)generation->st_ino);
	add_time(&out, &generation->st_mtim);
	add_time(&out, &scan->start);
	strbuf_addf(&out, "%zu %s", scan->nr, rules);
	strbuf_addch(&out, '\0');
	for (size_t i = 0; i < scan->nr; i++) {
		const struct scan_entry *e = &scan->v[i];

		strbuf_addf(&out, "%c %d %u %" PRId64 " ", (char)e->kind,
		    (int)e->why, (unsigned int)e->mode, e->size);
		add_time(&out, &e->mtime);
		add_time(&out, &e->ctime);
		strbuf_addf(&out, "%" PRIu64 " %s", e->ino, e->path);
		strbuf_addch(&out, '\0');
	}
	fs_temp_clean(agent_fd, NAME);
	return fs_replace_file(agent_fd, NAME, out.buf, out.len, 0600, dg);
}

void
manifest_release(struct manifest *m)
{
	scan_release(&m->scan);
	*m = (struct manifest)MANIFEST_INIT;
}
