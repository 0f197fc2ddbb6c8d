/* SPDX-License-Identifier: MIT */
/* proxyhead: parses a request's head strictly, and writes it for the server. */
#include "guest/proxyhead.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/hostname.h"
#include "base/queue.h"

enum {
	BAD = 400,
	LENGTH_REQUIRED = 411,
	LENGTH_DIGITS = 18,
	PORT_DIGITS = 5,
	PORT_HTTP = 80,
};

static const char token_chars[] = ASCII_ALNUM "!#$%&'*+-.^_`|~";
static const char host_chars[] = ASCII_ALNUM ".-_";

/* A piece of the head. */
struct span {
	const char *at;
	size_t len;
};

/* strchr() would find the terminator for a NUL. */
static bool
has_char(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
is_made_of(struct span s, const char *set)
{
	for (size_t i = 0; i < s.len; i++)
		if (!has_char(set, s.at[i]))
			return false;
	return s.len > 0;
}

static bool
is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

/* Takes the piece before the first c, and c itself.  false: there is no c. */
static bool
take_until(struct span *rest, char c, struct span *ret)
{
	const char *end = memchr(rest->at, c, rest->len);
	if (end == NULL)
		return false;
	*ret = (struct span){ rest->at, (size_t)(end - rest->at) };
	rest->at = end + 1;
	rest->len -= ret->len + 1;
	return true;
}

/* Takes a line without its CR LF.  No other CR or LF may stand in it. */
static bool
take_line(struct span *rest, struct span *ret)
{
	if (!take_until(rest, '\n', ret) || ret->len == 0 ||
	    ret->at[ret->len - 1] != '\r')
		return false;
	ret->len--;
	return memchr(ret->at, '\r', ret->len) == NULL;
}

static bool
parse_number(struct span s, size_t digits_max, uint64_t *ret)
{
	if (!is_made_of(s, "0123456789") || s.len > digits_max)
		return false;
	*ret = 0;
	for (size_t i = 0; i < s.len; i++)
		*ret = *ret * 10 + (uint64_t)(s.at[i] - '0');
	return true;
}

static bool
parse_port(struct span s, uint16_t *ret)
{
	uint64_t n;
	if (!parse_number(s, PORT_DIGITS, &n) || s.at[0] == '0')
		return false;
	*ret = (uint16_t)n;
	return n <= UINT16_MAX;
}

/* The parts of "[ADDRESS]" or of a host's name. */
static bool
parse_host(struct span s, struct proxytarget *t)
{
	if (s.len == 0 || s.len > PROXY_HOST_MAX)
		return false;
	memcpy(t->host, s.at, s.len);
	t->host[s.len] = '\0';
	if (s.at[0] == '[') {
		t->host[s.len - 1] = '\0';
		t->is_address = proxyaddr_parse(t->host + 1, &t->address) &&
		    t->address.family == AF_INET6;
		if (!t->is_address)
			return false;
		proxyaddr_print(&t->address, t->host);
		return true;
	}
	for (size_t i = 0; i < s.len; i++)
		if (t->host[i] >= 'A' && t->host[i] <= 'Z')
			t->host[i] = (char)(t->host[i] - 'A' + 'a');
	t->is_address = proxyaddr_parse(t->host, &t->address);
	if (t->is_address)
		return true;
	if (s.len > 1 && t->host[s.len - 1] == '.')
		t->host[s.len - 1] = '\0';
	t->is_name = hostname_problem(t->host) == NULL;
	return true;
}

/* port is the default; 0: the authority must have one. */
static bool
parse_authority(struct span s, uint16_t port, struct proxytarget *t)
{
	struct span host = s;
	if (s.len > 0 && s.at[0] == '[') {
		const char *end = memchr(s.at, ']', s.len);
		if (end == NULL)
			return false;
		host.len = (size_t)(end - s.at) + 1;
	} else {
		host.len = 0;
		while (host.len < s.len && has_char(host_chars, s.at[host.len]))
			host.len++;
	}
	s.at += host.len;
	s.len -= host.len;
	t->port = port;
	if (s.len > 0 || port == 0) {
		if (s.len == 0 || s.at[0] != ':' ||
		    !parse_port((struct span){ s.at + 1, s.len - 1 }, &t->port))
			return false;
	}
	return parse_host(host, t);
}

static int
parse_target(struct span s, struct proxyhead *h)
{
	static const char scheme[] = "http://";
	size_t n = strlen(scheme);
	struct span authority;
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~' || s.at[i] == '#')
			return BAD;
	if (strcmp(h->method, "CONNECT") == 0)
		return parse_authority(s, 0, &h->target) ? 0 : BAD;
	if (s.len <= n || strncasecmp(s.at, scheme, n) != 0)
		return BAD;
	h->target.http = true;
	authority = (struct span){ s.at + n, 0 };
	while (n + authority.len < s.len &&
	    !has_char("/?", authority.at[authority.len]))
		authority.len++;
	h->path = authority.at + authority.len;
	h->path_len = s.len - n - authority.len;
	return parse_authority(authority, PORT_HTTP, &h->target) ? 0 : BAD;
}

static int
parse_request_line(struct span line, struct proxyhead *h)
{
	struct span method, target;
	if (!take_until(&line, ' ', &method) ||
	    !take_until(&line, ' ', &target) ||
	    !is_made_of(method, token_chars) || method.len > PROXY_METHOD_MAX ||
	    (!is_word(line, "HTTP/1.1") && !is_word(line, "HTTP/1.0")) ||
	    memcmp(line.at, "HTTP", 4) != 0)
		return BAD;
	memcpy(h->method, method.at, method.len);
	h->method[method.len] = '\0';
	return parse_target(target, h);
}

/* Without the blanks around it. */
static struct span
trim(struct span s)
{
	while (s.len > 0 && has_char(" \t", s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && has_char(" \t", s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Splits "NAME: VALUE", and takes the blanks around the value away. */
static bool
split_field(struct span line, struct span *ret_name, struct span *ret_value)
{
	if (!take_until(&line, ':', ret_name) ||
	    !is_made_of(*ret_name, token_chars))
		return false;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	*ret_value = trim(line);
	return true;
}

/* Fields that may stand once at most, as they decide what the request is. */
enum {
	FIELD_HOST,
	FIELD_LENGTH,
	FIELD_ENCODING,
	FIELD_NR,
};
static const char *const single[FIELD_NR] = {
	[FIELD_HOST] = "Host",
	[FIELD_LENGTH] = "Content-Length",
	[FIELD_ENCODING] = "Transfer-Encoding",
};

static int
parse_fields(struct span rest, struct proxyhead *h)
{
	bool seen[FIELD_NR] = { false };
	struct span line = { NULL, 0 };
	struct span name, value;
	bool whole;
	while ((whole = take_line(&rest, &line)) && line.len > 0) {
		if (!split_field(line, &name, &value))
			return BAD;
		for (size_t i = 0; i < FIELD_NR; i++) {
			if (!is_word(name, single[i]))
				continue;
			if (seen[i])
				return BAD;
			seen[i] = true;
			if (i == FIELD_LENGTH &&
			    !parse_number(value, LENGTH_DIGITS, &h->body))
				return BAD;
		}
	}
	/* The empty line ends the head. */
	if (!whole || rest.len > 0)
		return BAD;
	if (!h->target.http)
		return seen[FIELD_ENCODING] || h->body > 0 ? BAD : 0;
	if (seen[FIELD_ENCODING])
		return seen[FIELD_LENGTH] ? BAD : LENGTH_REQUIRED;
	return 0;
}

size_t
proxyhead_find(const struct queue *q, size_t searched)
{
	size_t from = searched < 3 ? 0 : searched - 3;
	const char *data;
	const char *end;
	if (q->len == 0)
		return 0;
	data = q->buf + q->start;
	end = memmem(data + from, q->len - from, "\r\n\r\n", 4);
	return end == NULL ? 0 : (size_t)(end - data) + 4;
}

int
proxyhead_parse(const char *data, size_t len, struct proxyhead *ret_head)
{
	struct span rest = { data, len };
	struct span line;
	int status;
	*ret_head = (struct proxyhead){ .len = len };
	if (!take_line(&rest, &line))
		return BAD;
	status = parse_request_line(line, ret_head);
	return status != 0 ? status : parse_fields(rest, ret_head);
}

bool
proxytarget_parse(const char *text, struct proxytarget *ret_target)
{
	struct span s = { text, strlen(text) };
	*ret_target = (struct proxytarget){ .http = false };
	return parse_authority(s, 0, ret_target);
}

void
proxytarget_print(
    const struct proxytarget *target, char text[PROXY_AUTHORITY_MAX + 1])
{
	if (target->http && target->port == PORT_HTTP)
		(void)snprintf(
		    text, PROXY_AUTHORITY_MAX + 1, "http://%s", target->host);
	else
		(void)snprintf(text, PROXY_AUTHORITY_MAX + 1, "%s%s:%u",
		    target->http ? "http://" : "", target->host, target->port);
}

/* Returns true if one of the names in the Connection fields is name. */
static bool
is_connection_option(struct span fields, struct span name)
{
	struct span line, field, value, option;
	while (take_line(&fields, &line) && line.len > 0) {
		if (!split_field(line, &field, &value) ||
		    !is_word(field, "Connection"))
			continue;
		while (value.len > 0) {
			if (!take_until(&value, ',', &option)) {
				option = value;
				value.len = 0;
			}
			option = trim(option);
			if (option.len == name.len &&
			    strncasecmp(option.at, name.at, name.len) == 0)
				return true;
		}
	}
	return false;
}

/* Host and Content-Length describe the request: no option removes them. */
static bool
is_forwarded(struct span fields, struct span name)
{
	static const char *const hop[] = { "Host", "Connection", "Keep-Alive",
		"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
		"TE", "Trailer", "Transfer-Encoding", "Upgrade" };
	for (size_t i = 0; i < ARRAY_SIZE(hop); i++)
		if (is_word(name, hop[i]))
			return false;
	return is_word(name, single[FIELD_LENGTH]) ||
	    !is_connection_option(fields, name);
}

static bool
add(struct queue *out, const char *text)
{
	return queue_add(out, text, strlen(text));
}

bool
proxyhead_forward(const struct proxyhead *head, const char *data,
    bool whole_url, struct queue *out)
{
	struct span rest = { data, head->len };
	struct span fields, line, name, value;
	char url[PROXY_AUTHORITY_MAX + 1];
	bool ok = true;
	proxytarget_print(&head->target, url);
	if (!take_line(&rest, &line))
		return false;
	fields = rest;
	ok = add(out, head->method) && add(out, " ") &&
	    (!whole_url || add(out, url)) &&
	    ((head->path_len > 0 && head->path[0] == '/') || add(out, "/")) &&
	    queue_add(out, head->path, head->path_len) &&
	    queue_add(out, line.at + line.len - strlen(" HTTP/1.1"),
		strlen(" HTTP/1.1")) &&
	    add(out, "\r\nHost: ") && add(out, url + strlen("http://")) &&
	    add(out, "\r\n");
	while (ok && take_line(&rest, &line) && line.len > 0)
		if (split_field(line, &name, &value) &&
		    is_forwarded(fields, name))
			ok = queue_add(out, line.at, line.len) &&
			    add(out, "\r\n");
	return ok && add(out, "Connection: close\r\n\r\n");
}
