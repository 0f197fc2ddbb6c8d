/* SPDX-License-Identifier: MIT */
/*
 * strvec: a list of owned strings, NULL-terminated at all times.
 */
#ifndef DRYDOCK_STRVEC_H
#define DRYDOCK_STRVEC_H

#include <stdbool.h>
#include <stddef.h>

struct strvec {
	char **v; /* owned, v[nr] is NULL */
	size_t nr;
	size_t alloc;
};

extern char *strvec_empty[];
#define STRVEC_INIT                \
	{                          \
		strvec_empty, 0, 0 \
	}

void strvec_init(struct strvec *sv);
void strvec_release(struct strvec *sv); /* reusable afterwards */
void strvec_push(struct strvec *sv, const char *s); /* copied */
void strvec_push_given(struct strvec *sv, char *s); /* given */
void strvec_pushf(struct strvec *sv, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strvec_sort(struct strvec *sv); /* by bytes */
void strvec_push_all(struct strvec *sv, const char *const *list);
/* Appends the parts of text between separators; empty parts are left out. */
void strvec_split(struct strvec *sv, const char *text, char separator);
/* Returned: the strings, with the separator between them. */
char *strvec_join(const struct strvec *sv, const char *separator);
bool strvec_has(const struct strvec *sv, const char *s);
/* For environments: sets NAME=VALUE, replacing an existing NAME. */
void strvec_setenv(struct strvec *sv, const char *name, const char *value);
/* Returns the value of name in envp (borrowed), or NULL.  envp may be NULL. */
const char *envp_get(const char *const *envp, const char *name);

#define cleanup_strvec __attribute__((cleanup(strvec_release)))

#endif /* DRYDOCK_STRVEC_H */
