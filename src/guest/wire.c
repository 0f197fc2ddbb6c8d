/* SPDX-License-Identifier: MIT */
/*
 * The protocol between drydock and the holder: bytes in, messages out, no I/O.
 */
#include "guest/wire.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define DIGEST_LEN ((size_t)DIGEST_HEX_SIZE - 1)
#define GO_HEAD ((size_t)16)

enum go_flags {
	GO_TTY = 1 << 0,
	GO_ENDS_WITH_CLIENT = 1 << 1
};

/* The sender and the length that each type of frame allows. */
static const struct kind {
	bool client, holder;
	size_t min, max;
} kinds[] = {
	[WIRE_HELLO] = { true, true, 8, 8 + DIGEST_LEN },
	[WIRE_REFUSED] = { false, true, 0, WIRE_TEXT_MAX },
	[WIRE_GO_PART] = { true, false, 1, WIRE_PAYLOAD_MAX },
	[WIRE_GO] = { true, false, 0, WIRE_PAYLOAD_MAX },
	[WIRE_STARTED] = { false, true, 0, 0 },
	[WIRE_VIEW] = { true, false, 4, 4 },
	[WIRE_SIZE] = { true, false, 4, 4 },
	[WIRE_INPUT] = { true, false, 1, WIRE_PAYLOAD_MAX },
	[WIRE_INPUT_END] = { true, false, 0, 0 },
	[WIRE_OUTPUT] = { false, true, 1, WIRE_PAYLOAD_MAX },
	[WIRE_ERROR] = { false, true, 1, WIRE_PAYLOAD_MAX },
	[WIRE_EXIT] = { false, true, 4, 4 + WIRE_TEXT_MAX },
	[WIRE_EXEC] = { true, false, 0, WIRE_PAYLOAD_MAX },
	[WIRE_SIGNAL] = { true, false, 4, 4 },
	[WIRE_PORT] = { true, false, 2, 2 },
};

static uint32_t
get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static uint16_t
get_u16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void
put_u32(unsigned char *p, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> (8 * i));
}

static void
put_u16(unsigned char *p, uint16_t value)
{
	p[0] = (unsigned char)value;
	p[1] = (unsigned char)(value >> 8);
}

void
wire_decoder_init(struct wire_decoder *dec, enum wire_end from)
{
	dec->from = from;
	dec->broken = NULL;
	dec->start = 0;
	dec->end = 0;
}

size_t
wire_space(struct wire_decoder *dec, unsigned char **ret_at)
{
	memmove(dec->buf, dec->buf + dec->start, dec->end - dec->start);
	dec->end -= dec->start;
	dec->start = 0;
	*ret_at = dec->buf + dec->end;
	return sizeof(dec->buf) - dec->end;
}

void
wire_filled(struct wire_decoder *dec, size_t n)
{
	assert(n <= sizeof(dec->buf) - dec->end);
	dec->end += n;
}

size_t
wire_need(const struct wire_decoder *dec)
{
	size_t have = dec->end - dec->start;
	size_t whole = WIRE_HEADER_SIZE;
	if (have >= WIRE_HEADER_SIZE)
		whole += get_u32(dec->buf + dec->start + 4);
	return whole > have ? whole - have : 0;
}

static bool
is_hex(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!(p[i] >= '0' && p[i] <= '9') &&
		    !(p[i] >= 'a' && p[i] <= 'f'))
			return false;
	}
	return true;
}

static bool
may_send(uint32_t sig)
{
	return sig == SIGHUP || sig == SIGINT || sig == SIGQUIT ||
	    sig == SIGTERM || sig == SIGKILL;
}

/* Returns NULL, or the error in the payload of a known type. */
static const char *
check_payload(enum wire_type type, const unsigned char *p, size_t len)
{
	if (type == WIRE_HELLO && len != 8 &&
	    (len != 8 + DIGEST_LEN || !is_hex(p + 8, DIGEST_LEN)))
		return "a hello with a malformed digest";
	if (type == WIRE_EXIT && get_u32(p) > 255)
		return "an exit status over 255";
	if (type == WIRE_SIGNAL && !may_send(get_u32(p)))
		return "a signal that no client may send";
	if (type == WIRE_PORT && get_u16(p) == 0)
		return "port 0";
	return NULL;
}

static const char *
check_header(const struct wire_decoder *dec, const unsigned char *p)
{
	size_t len = get_u32(p + 4);
	if (p[0] == 0 || p[0] >= ARRAY_SIZE(kinds))
		return "a frame of an unknown type";
	const struct kind *kind = &kinds[p[0]];
	if (p[1] != 0 || p[2] != 0 || p[3] != 0)
		return "a frame with a malformed header";
	if (!(dec->from == WIRE_CLIENT ? kind->client : kind->holder))
		return "a frame that the other end should send";
	if (len < kind->min || len > kind->max)
		return "a frame of the wrong length";
	return NULL;
}

int
wire_next(struct wire_decoder *dec, struct wire_frame *ret_frame)
{
	const unsigned char *p = dec->buf + dec->start;
	size_t have = dec->end - dec->start;
	if (dec->broken != NULL)
		return -1;
	if (have < WIRE_HEADER_SIZE)
		return 0;
	dec->broken = check_header(dec, p);
	if (dec->broken != NULL)
		return -1;
	enum wire_type type = (enum wire_type)p[0];
	size_t len = get_u32(p + 4);
	if (have - WIRE_HEADER_SIZE < len)
		return 0;
	dec->broken = check_payload(type, p + WIRE_HEADER_SIZE, len);
	if (dec->broken != NULL)
		return -1;
	ret_frame->type = type;
	ret_frame->payload = p + WIRE_HEADER_SIZE;
	ret_frame->len = len;
	dec->start += WIRE_HEADER_SIZE + len;
	return 1;
}

void
wire_put_header(unsigned char head[static WIRE_HEADER_SIZE],
    enum wire_type type, size_t len)
{
	assert(len <= WIRE_PAYLOAD_MAX);
	memset(head, 0, WIRE_HEADER_SIZE);
	head[0] = (unsigned char)type;
	put_u32(head + 4, (uint32_t)len);
}

void
wire_add(
    struct strbuf *out, enum wire_type type, const void *payload, size_t len)
{
	unsigned char head[WIRE_HEADER_SIZE];
	wire_put_header(head, type, len);
	strbuf_add(out, head, sizeof(head));
	strbuf_add(out, payload, len);
}

size_t
wire_put_hello(unsigned char payload[static WIRE_HELLO_MAX],
    const struct wire_hello *hello)
{
	size_t digest = hello->digest[0] != '\0' ? DIGEST_LEN : 0;
	put_u32(payload, hello->version);
	put_u16(payload + 4, hello->flags);
	put_u16(payload + 6, hello->newest);
	memcpy(payload + 8, hello->digest, digest);
	return 8 + digest;
}

void
wire_add_hello(struct strbuf *out, const struct wire_hello *hello)
{
	unsigned char payload[WIRE_HELLO_MAX];
	wire_add(out, WIRE_HELLO, payload, wire_put_hello(payload, hello));
}

void
wire_add_size(struct strbuf *out, enum wire_type type, struct wire_size size)
{
	unsigned char payload[4];
	put_u16(payload, size.rows);
	put_u16(payload + 2, size.columns);
	wire_add(out, type, payload, sizeof(payload));
}

void
wire_add_signal(struct strbuf *out, int sig)
{
	unsigned char payload[4];
	put_u32(payload, (uint32_t)sig);
	wire_add(out, WIRE_SIGNAL, payload, sizeof(payload));
}

void
wire_add_port(struct strbuf *out, uint16_t port)
{
	unsigned char payload[2];
	put_u16(payload, port);
	wire_add(out, WIRE_PORT, payload, sizeof(payload));
}

size_t
wire_put_exit(unsigned char payload[static WIRE_EXIT_MAX], unsigned int status,
    const char *text)
{
	size_t len = strnlen(text, WIRE_TEXT_MAX);
	put_u32(payload, status);
	memcpy(payload + 4, text, len);
	return 4 + len;
}

void
wire_add_exit(struct strbuf *out, unsigned int status, const char *text)
{
	unsigned char payload[WIRE_EXIT_MAX];
	wire_add(out, WIRE_EXIT, payload, wire_put_exit(payload, status, text));
}

static void
add_strings(struct strbuf *blob, const char *const *list)
{
	for (; *list != NULL; list++)
		strbuf_add(blob, *list, strlen(*list) + 1);
}

static size_t
strings_size(const char *const *list, uint32_t *ret_nr)
{
	size_t size = 0;
	*ret_nr = 0;
	for (; *list != NULL; list++, (*ret_nr)++)
		size += strlen(*list) + 1;
	return size;
}

int
wire_add_go(struct strbuf *out, enum wire_type type, const struct wire_go *go)
{
	uint32_t nargs;
	uint32_t nvars;
	size_t size = GO_HEAD + strlen(go->cwd) + 1 +
	    strings_size(go->argv, &nargs) + strings_size(go->envp, &nvars);
	if (go->cwd[0] != '/' || nargs == 0 || size > WIRE_GO_MAX)
		return -1;

	/* Reserved at once: growing would leave copies of secrets behind. */
	struct strbuf blob = STRBUF_INIT;
	strbuf_reserve(&blob, size);
	unsigned char head[GO_HEAD];
	put_u32(head,
	    (go->tty ? GO_TTY : 0U) |
		(go->ends_with_client ? GO_ENDS_WITH_CLIENT : 0U));
	put_u16(head + 4, go->size.rows);
	put_u16(head + 6, go->size.columns);
	put_u32(head + 8, nargs);
	put_u32(head + 12, nvars);
	strbuf_add(&blob, head, sizeof(head));
	strbuf_add(&blob, go->cwd, strlen(go->cwd) + 1);
	add_strings(&blob, go->argv);
	add_strings(&blob, go->envp);

	strbuf_reserve(
	    out, size + WIRE_HEADER_SIZE * (size / WIRE_PAYLOAD_MAX + 1));
	size_t at = 0;
	for (; size - at > WIRE_PAYLOAD_MAX; at += WIRE_PAYLOAD_MAX)
		wire_add(out, WIRE_GO_PART, blob.buf + at, WIRE_PAYLOAD_MAX);
	wire_add(out, type, blob.buf + at, size - at);
	explicit_bzero(blob.buf, blob.len);
	strbuf_release(&blob);
	return 0;
}

void
wire_read_hello(const struct wire_frame *frame, struct wire_hello *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->version = get_u32(frame->payload);
	ret->flags = get_u16(frame->payload + 4);
	ret->newest = get_u16(frame->payload + 6);
	memcpy(ret->digest, frame->payload + 8, frame->len - 8);
}

struct wire_size
wire_read_size(const struct wire_frame *frame)
{
	return (struct wire_size){ get_u16(frame->payload),
		get_u16(frame->payload + 2) };
}

int
wire_read_signal(const struct wire_frame *frame)
{
	return (int)get_u32(frame->payload);
}

uint16_t
wire_read_port(const struct wire_frame *frame)
{
	return get_u16(frame->payload);
}

uint32_t
wire_choose_version(const struct wire_hello *hello)
{
	uint32_t newest = hello->newest != 0 ? hello->newest : hello->version;
	if (newest > WIRE_VERSION)
		newest = WIRE_VERSION;
	return newest >= hello->version && newest >= WIRE_VERSION_OLDEST
	    ? newest
	    : 0;
}

unsigned int
wire_read_exit(
    const struct wire_frame *frame, const char **ret_text, size_t *ret_len)
{
	*ret_text = (const char *)frame->payload + 4;
	*ret_len = frame->len - 4;
	return get_u32(frame->payload);
}

/* Takes n strings from the start of the remaining bytes. */
static int
take_strings(const char **at, size_t *left, uint32_t n, const char **list)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *end = memchr(*at, '\0', *left);
		if (end == NULL)
			return -1;
		list[i] = *at;
		*left -= (size_t)(end + 1 - *at);
		*at = end + 1;
	}
	return 0;
}

int
wire_read_go(const void *data, size_t len, struct wire_go *ret_go)
{
	const unsigned char *head = data;
	if (len <= GO_HEAD || len > WIRE_GO_MAX)
		return -1;
	uint32_t flags = get_u32(head);
	if ((flags & ~(uint32_t)(GO_TTY | GO_ENDS_WITH_CLIENT)) != 0)
		return -1;
	const char *at = (const char *)data + GO_HEAD;
	size_t left = len - GO_HEAD;
	const char *end = memchr(at, '\0', left);
	if (at[0] != '/' || end == NULL)
		return -1;
	cleanup_wire_go struct wire_go go = {
		.tty = (flags & GO_TTY) != 0,
		.ends_with_client = (flags & GO_ENDS_WITH_CLIENT) != 0,
		.size = { get_u16(head + 4), get_u16(head + 6) },
		.cwd = at,
	};
	left -= (size_t)(end + 1 - at);
	at = end + 1;
	/* Each string has at least one byte, which bounds both numbers. */
	size_t nargs = get_u32(head + 8);
	size_t nvars = get_u32(head + 12);
	if (nargs == 0 || nargs > left || nvars > left)
		return -1;
	go.lists = calloc(nargs + nvars + 2, sizeof(*go.lists));
	if (go.lists == NULL ||
	    take_strings(&at, &left, (uint32_t)nargs, go.lists) == -1 ||
	    take_strings(&at, &left, (uint32_t)nvars, go.lists + nargs + 1) ==
		-1 ||
	    left != 0)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): cleanup_wire_go */
		return -1;
	go.argv = go.lists;
	go.envp = go.lists + nargs + 1;
	*ret_go = go;
	go.lists = NULL;
	return 0;
}

void
wire_go_release(struct wire_go *go)
{
	free((void *)go->lists);
	go->lists = NULL;
}
