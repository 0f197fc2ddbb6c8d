/* SPDX-License-Identifier: MIT */
/* Frames and messages: what comes back, and what is refused. */
#include "guest/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"

/* Feeds bytes in pieces; the number of frames, or -1. */
static int
decode(enum wire_end from, const char *data, size_t len, size_t piece,
    struct wire_decoder *dec)
{
	int frames = 0;
	size_t at = 0;
	wire_decoder_init(dec, from);
	for (;;) {
		struct wire_frame frame;
		int rc = wire_next(dec, &frame);
		if (rc == -1)
			return -1;
		if (rc == 1) {
			frames++;
			continue;
		}
		if (at == len)
			return frames;
		unsigned char *to;
		size_t n = wire_space(dec, &to);
		if (n > piece)
			n = piece;
		if (n > len - at)
			n = len - at;
		memcpy(to, data + at, n);
		wire_filled(dec, n);
		at += n;
	}
}

static void
frames_survive_any_cut(void)
{
	static const size_t pieces[] = { 1, 2, 7, 8, 9, 4096, 100000 };
	cleanup_strbuf struct strbuf data = STRBUF_INIT;
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	cleanup_free char *big = xcalloc(1, WIRE_PAYLOAD_MAX);
	wire_add(&data, WIRE_OUTPUT, "abc", 3);
	wire_add(&data, WIRE_STARTED, NULL, 0);
	wire_add(&data, WIRE_ERROR, big, WIRE_PAYLOAD_MAX);
	wire_add_exit(&data, 42, "why");
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		CHECK_INT(
		    decode(WIRE_HOLDER, data.buf, data.len, pieces[i], dec), 4);
	CHECK_INT(decode(WIRE_HOLDER, data.buf, data.len - 1, 5, dec), 3);
	CHECK_INT(wire_need(dec), 1);
}

static const struct bad {
	const char *what;
	enum wire_end from;
	const char *bytes;
	size_t len;
} bad[] = {
#define BYTES(s) s, sizeof(s) - 1
	{ "type 0", WIRE_CLIENT, BYTES("\0\0\0\0\0\0\0\0") },
	{ "unknown type", WIRE_CLIENT, BYTES("\17\0\0\0\0\0\0\0") },
	{ "type 255", WIRE_HOLDER, BYTES("\377\0\0\0\0\0\0\0") },
	{ "not zero", WIRE_CLIENT, BYTES("\11\0\1\0\0\0\0\0") },
	{ "oversize", WIRE_CLIENT, BYTES("\10\0\0\0\1\0\1\0") },
	{ "huge", WIRE_CLIENT, BYTES("\10\0\0\0\377\377\377\377") },
	{ "output by a client", WIRE_CLIENT, BYTES("\12\0\0\0\1\0\0\0x") },
	{ "input by the holder", WIRE_HOLDER, BYTES("\10\0\0\0\1\0\0\0x") },
	{ "go by the holder", WIRE_HOLDER, BYTES("\4\0\0\0\1\0\0\0x") },
	{ "no input", WIRE_CLIENT, BYTES("\10\0\0\0\0\0\0\0") },
	{ "a short size", WIRE_CLIENT, BYTES("\7\0\0\0\3\0\0\0xxx") },
	{ "a short hello", WIRE_HOLDER, BYTES("\1\0\0\0\4\0\0\0\1\0\0\0") },
	{ "half a digest", WIRE_HOLDER,
	    BYTES("\1\0\0\0\12\0\0\0\1\0\0\0\0\0\0\0ab") },
	{ "an exec by the holder", WIRE_HOLDER, BYTES("\15\0\0\0\1\0\0\0x") },
	{ "a signal by the holder", WIRE_HOLDER,
	    BYTES("\16\0\0\0\4\0\0\0\17\0\0\0") },
	{ "signal 0", WIRE_CLIENT, BYTES("\16\0\0\0\4\0\0\0\0\0\0\0") },
	{ "SIGSTOP", WIRE_CLIENT, BYTES("\16\0\0\0\4\0\0\0\23\0\0\0") },
	{ "status 256", WIRE_HOLDER, BYTES("\14\0\0\0\4\0\0\0\0\1\0\0") },
#undef BYTES
};

static void
bad_frames_are_refused(void)
{
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!CHECK_INT(
			decode(bad[i].from, bad[i].bytes, bad[i].len, 3, dec),
			-1))
			CHECK_STR(bad[i].what, "");
		CHECK(dec->broken != NULL);
	}
}

static void
random_bytes_do_no_harm(void)
{
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	unsigned int seed = 1;
	char data[256];
	for (int i = 0; i < 20000; i++) {
		for (size_t j = 0; j < sizeof(data); j++)
			data[j] = (char)rand_r(&seed);
		/* Half of them get a head that may be right. */
		if (i % 2 == 0) {
			memset(data, 0, 8);
			data[0] = (char)(rand_r(&seed) % 16);
			data[4] = (char)rand_r(&seed);
		}
		(void)decode(i % 3 == 0 ? WIRE_CLIENT : WIRE_HOLDER, data,
		    sizeof(data), 1 + (size_t)i % 64, dec);
	}
}

static void
hello_comes_back(void)
{
	cleanup_strbuf struct strbuf data = STRBUF_INIT;
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct wire_hello in = { .version = 7, .flags = WIRE_HELLO_TTY };
	struct wire_hello out;
	struct wire_frame frame;
	for (int with = 0; with < 2; with++) {
		strbuf_reset(&data);
		if (with == 1)
			digest_bytes("x", 1, in.digest);
		wire_add_hello(&data, &in);
		CHECK_INT(
		    decode(WIRE_HOLDER, data.buf, data.len, 4096, dec), 1);
		frame = (struct wire_frame){ WIRE_HELLO,
			(const unsigned char *)data.buf + WIRE_HEADER_SIZE,
			data.len - WIRE_HEADER_SIZE };
		wire_read_hello(&frame, &out);
		CHECK_INT(out.version, 7);
		CHECK_INT(out.flags, WIRE_HELLO_TTY);
		CHECK_STR(out.digest, in.digest);
	}
}

/* Takes the payloads of go frames out of data. */
static void
join_go(const struct strbuf *data, struct strbuf *blob)
{
	for (size_t at = 0; at < data->len;) {
		const unsigned char *p = (const unsigned char *)data->buf + at;
		size_t len =
		    (size_t)p[4] | (size_t)p[5] << 8 | (size_t)p[6] << 16;
		strbuf_add(blob, p + WIRE_HEADER_SIZE, len);
		at += WIRE_HEADER_SIZE + len;
	}
}

/* Its lists are static, and their last string is the caller's. */
static void
fill_go(struct wire_go *go, const char *value)
{
	static const char *const argv[] = { "sh", "", NULL };
	static const char *envp[] = { "A=1", NULL, NULL };
	envp[1] = value;
	*go = (struct wire_go){ .tty = true,
		.size = { 50, 200 },
		.cwd = "/work dir",
		.argv = argv,
		.envp = envp };
}

static char *
make_long(size_t len)
{
	char *value = xmalloc(len + 1);
	memset(value, 'x', len);
	value[len] = '\0';
	return value;
}

static void
go_comes_back_in_parts(void)
{
	cleanup_strbuf struct strbuf data = STRBUF_INIT;
	cleanup_strbuf struct strbuf blob = STRBUF_INIT;
	cleanup_free char *value = make_long(200000);
	struct wire_go in;
	cleanup_wire_go struct wire_go out = { .lists = NULL };
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	fill_go(&in, value);
	CHECK_INT(wire_add_go(&data, WIRE_EXEC, &in), 0);
	CHECK_INT(decode(WIRE_CLIENT, data.buf, data.len, 5000, dec), 4);
	join_go(&data, &blob);
	if (!CHECK_INT(wire_read_go(blob.buf, blob.len, &out), 0))
		return;
	CHECK(out.tty && !out.ends_with_client);
	CHECK_INT(out.size.columns, 200);
	CHECK_STR(out.cwd, "/work dir");
	CHECK_STR(out.argv[0], "sh");
	CHECK_STR(out.argv[1], "");
	CHECK(out.argv[2] == NULL);
	CHECK_STR(out.envp[1], value);
	CHECK(out.envp[2] == NULL);
}

static void
go_is_bounded(void)
{
	static const char *const none[] = { NULL };
	cleanup_strbuf struct strbuf data = STRBUF_INIT;
	cleanup_free char *value = make_long(WIRE_GO_MAX);
	struct wire_go go;
	fill_go(&go, value);
	CHECK_INT(wire_add_go(&data, WIRE_GO, &go), -1);
	fill_go(&go, "B=2");
	go.cwd = "relative";
	CHECK_INT(wire_add_go(&data, WIRE_GO, &go), -1);
	go.cwd = "/";
	go.argv = none;
	CHECK_INT(wire_add_go(&data, WIRE_GO, &go), -1);
	CHECK_INT(data.len, 0);
}

static void
damaged_go_is_refused(void)
{
	cleanup_strbuf struct strbuf data = STRBUF_INIT;
	cleanup_strbuf struct strbuf blob = STRBUF_INIT;
	struct wire_go in;
	fill_go(&in, "xxx");
	CHECK_INT(wire_add_go(&data, WIRE_GO, &in), 0);
	join_go(&data, &blob);
	for (size_t len = 0; len <= blob.len; len++) {
		cleanup_wire_go struct wire_go out = { .lists = NULL };
		CHECK_INT(wire_read_go(blob.buf, len, &out),
		    len == blob.len ? 0 : -1);
	}
	static const size_t counts[] = { 0, 8, 9, 11, 12, 15 };
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		cleanup_wire_go struct wire_go out = { .lists = NULL };
		char saved = blob.buf[counts[i]];
		blob.buf[counts[i]] = (char)(saved ^ 0x44);
		CHECK_INT(wire_read_go(blob.buf, blob.len, &out), -1);
		blob.buf[counts[i]] = saved;
	}
}

static void
the_newest_common_version_is_spoken(void)
{
	static const struct {
		uint32_t oldest;
		uint16_t newest;
		uint32_t chosen;
	} rows[] = {
		{ 1, 0, 1 }, /* as it was before there were two */
		{ 1, 2, 2 },
		{ 2, 0, 2 },
		{ 1, 9, WIRE_VERSION },
		{ WIRE_VERSION + 1, 0, 0 },
		{ WIRE_VERSION + 1, 9, 0 },
		{ 0, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_hello hello = { .version = rows[i].oldest,
			.newest = rows[i].newest };
		CHECK_INT(wire_choose_version(&hello), rows[i].chosen);
	}
}

static const struct check_test tests[] = {
	{ "the newest version that both speak is spoken",
	    the_newest_common_version_is_spoken },
	{ "frames survive any cut", frames_survive_any_cut },
	{ "bad frames are refused", bad_frames_are_refused },
	{ "random bytes do no harm", random_bytes_do_no_harm },
	{ "hello comes back", hello_comes_back },
	{ "go comes back from several parts", go_comes_back_in_parts },
	{ "go is bounded and has a command and a directory", go_is_bounded },
	{ "a damaged go is refused", damaged_go_is_refused },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
