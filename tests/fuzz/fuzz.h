/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what the targets share.
 *
 * Each fuzz-NAME.c defines LLVMFuzzerTestOneInput() for one parser and says by
 * FUZZ_CHECK() what must hold whatever the input is.  Linked with libFuzzer it
 * searches for an input that breaks it; linked with replay.c it runs over the
 * entries of the file corpus/NAME.
 */
#ifndef DRYDOCK_TESTS_FUZZ_H
#define DRYDOCK_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct json;
struct strbuf;
struct strvec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what did not hold, and ends the process. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

#define FUZZ_CHECK(cond) \
	((cond) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #cond))

/*
 * The contract of whatever takes a diag: 0 and a clear one, or -1 and one that
 * has a class and a message of one printable line.  Clears it.
 */
void fuzz_outcome(int rc, struct diag *dg);

/* UTF-8 without control characters and without marks that reorder text. */
bool fuzz_is_printable(const char *s, size_t len);

/*
 * Two nodes of one kind, and for a string or a truth of one value: numbers and
 * what is inside are the caller's to compare.
 */
void fuzz_same_kind(const struct json *a, const struct json *b);

/* Checks that each word is one line of an allowlist. */
void fuzz_allowlist_lines(const struct strvec *hosts);

/* Returned: the input as text, cut at its first NUL. */
char *fuzz_text(const uint8_t *data, size_t size);

/*
 * Appends a tar.  The text has a line for each entry, "TYPE NAME|LINK|DATA";
 * '^' in DATA is a line end.
 */
void fuzz_tar(const char *text, struct strbuf *out);

/* Appends the bytes as one gzip stream. */
void fuzz_gzip(const struct strbuf *bytes, struct strbuf *out);

/* Input that is taken from its front. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

/* The next byte; 0 at the end. */
unsigned int fuzz_take(struct fuzz_input *in);

/* What is left as numbers from 1, for cutting a stream; 1 without a seed. */
struct fuzz_chunks {
	uint32_t state;
};

size_t fuzz_next_chunk(struct fuzz_chunks *chunks, size_t left);

#endif /* DRYDOCK_TESTS_FUZZ_H */
