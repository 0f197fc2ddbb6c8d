/* SPDX-License-Identifier: MIT */
/* h1 of modules' zips: right for those that Go writes, none for others. */
#include "check.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "deps/modzip.h"
#include "zip-kit.h"

#define LONG_TEXT                                              \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct zip_file files[] = {
	{ "m@v1.0.0/a.go", "package m\n", .deflated = true },
	{ "m@v1.0.0/b.go", LONG_TEXT, .deflated = true },
	{ "m@v1.0.0/c", "", .deflated = false },
	{ "m@v1.0.0/go.mod", "module m\n", .deflated = false },
};

static int
h1_of(const struct strbuf *zip, struct digest *ret, struct diag *dg)
{
	int fd = -1;
	int rc;

	CHECK_INT(fs_memfd("zip", zip->buf, zip->len, &fd, dg), 0);
	rc = modzip_h1(fd, (off_t)zip->len, ret, dg);
	(void)close(fd);
	return rc;
}

static void
check_refused(const struct strbuf *zip, const char *why)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct digest d;

	CHECK_INT(h1_of(zip, &d, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_HAS(dg.message, why);
}

static void
stored_and_deflated_files_are_hashed(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf zip = STRBUF_INIT;
	struct zip_file shuffled[] = { files[3], files[1], files[0], files[2] };
	struct digest want;
	struct digest got = { .kind = DIGEST_NONE };

	zip_h1(files, ARRAY_SIZE(files), &want);
	zip_make(&zip, shuffled, ARRAY_SIZE(shuffled), "", "");
	CHECK_INT(h1_of(&zip, &got, &dg), 0);
	CHECK(digest_equal(&got, &want));
}

/* What golang.org's checksum database has for rsc.io/quote v1.5.2/go.mod. */
static void
the_h1_of_a_go_mod_is_gos(void)
{
	static const char text[] =
	    "module \"rsc.io/quote\"\n\nrequire \"rsc.io/sampler\" v1.3.0\n";
	static const char h1[] = "LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=";
	cleanup_diag struct diag dg = DIAG_INIT;
	struct digest want;
	struct digest got;
	int fd = -1;

	CHECK(digest_parse_base64(DIGEST_SHA256, h1, strlen(h1), &want));
	CHECK_INT(fs_memfd("mod", text, strlen(text), &fd, &dg), 0);
	CHECK_INT(modzip_mod_h1(fd, (off_t)strlen(text), &got, &dg), 0);
	CHECK(digest_equal(&got, &want));
	(void)close(fd);
}

/*
 * The directory exchanges the names of two files: a reader of local headers
 * would compute the h1 of the honest zip.
 */
static void
the_directory_alone_names_files(void)
{
	static const struct zip_file exchanged[] = {
		{ "m/b.go", "one", .local_name = "m/a.go" },
		{ "m/a.go", "two", .local_name = "m/b.go" },
	};
	static const struct zip_file honest[] = { { .name = "m/a.go",
						      .text = "one" },
		{ .name = "m/b.go", .text = "two" } };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf zip = STRBUF_INIT;
	struct digest lie;
	struct digest got;

	zip_h1(honest, 2, &lie);
	zip_make(&zip, exchanged, 2, "", "");
	CHECK_INT(h1_of(&zip, &got, &dg), 0);
	CHECK(!digest_equal(&got, &lie));
}

static void
ambiguous_zips_are_refused(void)
{
	const struct zip_file twice[] = { files[0], files[0] };
	static const struct zip_file line[] = { { .name = "m/a\nb",
	    .text = "x" } };
	static const struct zip_file dir[] = { { .name = "m/", .text = "" } };
	cleanup_strbuf struct strbuf zip = STRBUF_INIT;

	zip_make(&zip, twice, 2, "", "");
	check_refused(&zip, "a name occurs twice");
	strbuf_reset(&zip);
	zip_make(&zip, line, 1, "", "");
	check_refused(&zip, "an entry that Go does not write");
	strbuf_reset(&zip);
	zip_make(&zip, dir, 1, "", "");
	check_refused(&zip, "an entry that Go does not write");
	strbuf_reset(&zip);
	zip_make(&zip, files, 4, "#!/bin/sh\n", "");
	check_refused(&zip, "no directory at its end");
	strbuf_reset(&zip);
	zip_make(&zip, files, 4, "", "comment");
	check_refused(&zip, "no directory at its end");
}

/* A length with which Go looks for another directory. */
static void
a_directory_of_0xffff_bytes_is_refused(void)
{
	cleanup_strbuf struct strbuf zip = STRBUF_INIT;
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	size_t central;
	size_t end;
	size_t more;
	unsigned char *p;

	zip_make(&zip, files + 3, 1, "", "");
	end = zip.len - 22;
	p = (unsigned char *)zip.buf + end;
	central = (size_t)p[16] | (size_t)p[17] << 8;
	more = 0xffff - (end - central);
	p[12] = 0xff;
	p[13] = 0xff;
	/* The last entry's comment makes up the length. */
	zip.buf[central + 32] = (char)(more & 0xff);
	zip.buf[central + 33] = (char)(more >> 8);
	strbuf_add(&whole, zip.buf, end);
	for (size_t i = 0; i < more; i++)
		strbuf_addch(&whole, 'x');
	strbuf_add(&whole, zip.buf + end, 22);
	check_refused(&whole, "no directory at its end");
}

/* Each byte changed, and each length: refused, or another h1 if it is named. */
static void
no_damaged_zip_has_the_h1(void)
{
	cleanup_strbuf struct strbuf zip = STRBUF_INIT;
	struct digest want;

	zip_h1(files, ARRAY_SIZE(files), &want);
	zip_make(&zip, files, ARRAY_SIZE(files), "", "");
	for (size_t i = 0; i < zip.len; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct strbuf cut = { .len = i, .buf = zip.buf };
		struct digest got;
		int fd = -1;

		CHECK_INT(h1_of(&cut, &got, &dg), -1);
		diag_clear(&dg);
		/* The file is shorter than it was said to be. */
		CHECK_INT(fs_memfd("zip", zip.buf, i, &fd, &dg), 0);
		CHECK_INT(modzip_h1(fd, (off_t)zip.len, &got, &dg), -1);
		(void)close(fd);
	}
	for (size_t i = 0; i < zip.len; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct digest got;

		zip.buf[i] ^= 0x41;
		/* Accepted: a header's version, time or name, which Go skips. */
		if (h1_of(&zip, &got, &dg) != 0)
			CHECK_INT(dg.class, DIAG_DATA);
		zip.buf[i] ^= 0x41;
	}
}

/* A bomb: little data, whose size is said to be a few bytes, or too much. */
static void
sizes_are_bounded(void)
{
	static const struct zip_file bomb[] = { { "m/a", LONG_TEXT,
	    .deflated = true } };
	cleanup_strbuf struct strbuf zip = STRBUF_INIT;
	char *size;

	zip_make(&zip, bomb, 1, "", "");
	size = zip.buf + zip.len - 22 - strlen("m/a") - 46 + 24;
	CHECK_INT((unsigned char)size[0], strlen(LONG_TEXT));
	size[0] = 5;
	check_refused(&zip, "a file that cannot be unpacked");
	size[0] = (char)(strlen(LONG_TEXT) + 1);
	check_refused(&zip, "a file that cannot be unpacked");
	size[3] = 0x7f;
	check_refused(&zip, "it unpacks to more than 512 MiB");
}

static const struct check_test tests[] = {
	{ "stored and deflated files are hashed",
	    stored_and_deflated_files_are_hashed },
	{ "the h1 of a go.mod is Go's", the_h1_of_a_go_mod_is_gos },
	{ "the directory alone names files", the_directory_alone_names_files },
	{ "ambiguous zips are refused", ambiguous_zips_are_refused },
	{ "a directory of 0xffff bytes is refused",
	    a_directory_of_0xffff_bytes_is_refused },
	{ "no damaged zip has the h1", no_damaged_zip_has_the_h1 },
	{ "sizes are bounded", sizes_are_bounded },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
