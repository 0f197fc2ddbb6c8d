/* SPDX-License-Identifier: MIT */
/* resolver: reads resolv.conf as libc does. */
#include "guest/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define SERVERS_MAX 3 /* libc's MAXNS */
#define BLANKS " \t"

/* The scope of a link-local address is left out. */
static bool
print_address(const char *word, struct strbuf *out)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];
	size_t len = strcspn(word, BLANKS "%\r");
	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, address) != 1 ||
	    inet_ntop(family, address, text, sizeof(text)) == NULL)
		return false;
	strbuf_addf(out, "%s\n", text);
	return true;
}

void
resolver_parse(const char *text, size_t len, struct strbuf *out)
{
	static const char key[] = "nameserver";
	cleanup_free char *copy = xstrndup(text, len);
	char *rest = copy;
	char *line;
	size_t n = 0;
	while (n < SERVERS_MAX && (line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line += strlen(key);
		size_t blanks = strspn(line, BLANKS);
		if (blanks > 0 && print_address(line + blanks, out))
			n++;
	}
}

static bool
is_loopback(const char *address)
{
	struct in_addr four;
	struct in6_addr six;
	if (inet_pton(AF_INET, address, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET ||
		    four.s_addr == htonl(INADDR_ANY);
	return inet_pton(AF_INET6, address, &six) != 1 ||
	    IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_UNSPECIFIED(&six);
}

bool
resolver_usable(const char *servers)
{
	cleanup_free char *copy = xstrdup(servers);
	char *rest = copy;
	char *line;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line != '\0' && !is_loopback(line))
			return true;
	}
	return false;
}

bool
resolver_write(const char *conf, const char *dir)
{
	cleanup_strbuf struct strbuf servers = STRBUF_INIT;
	cleanup_free char *path = xasprintf("%s/" RESOLVER_FILE, dir);
	cleanup_free char *fresh = xasprintf("%s.new", path);
	char text[65536];
	size_t len = 0;
	FILE *f = fopen(conf, "re");
	if (f != NULL) {
		len = fread(text, 1, sizeof(text), f);
		(void)fclose(f);
	}
	resolver_parse(text, len, &servers);
	f = fopen(fresh, "we");
	if (f != NULL) {
		(void)fputs(servers.buf, f);
		if (fclose(f) != 0 || rename(fresh, path) == -1)
			(void)remove(fresh);
	}
	return resolver_usable(servers.buf);
}
