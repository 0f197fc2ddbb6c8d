/* SPDX-License-Identifier: MIT */
/*
 * holder-kit: the real holder as a plain process, and a client made by hand.
 *
 * Guardrails belong to root; where the tests run as somebody else the holder
 * gets a user namespace in which they are.  Every wait ends after KIT_SECONDS.
 */
#ifndef DRYDOCK_TESTS_HOLDER_KIT_H
#define DRYDOCK_TESTS_HOLDER_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "guest/wire.h"

#define KIT_SECONDS 60

struct kit {
	pid_t pid;
	int err_fd; /* its stderr */
	/* NULL, or run in the child; false ends it with status 97. */
	bool (*in_child)(const struct kit *kit);
	char run[200]; /* directories and files in check_tmpdir() */
	char policy[200];
	char manifest[200];
};

/* A valid policy and the directories; no process yet. */
bool kit_make(struct kit *kit);

/* Starts the holder with arguments that end with NULL; false after a skip. */
bool kit_spawn(struct kit *kit, const char *const *argv);

/* kit_make() and `hold`, with more arguments or NULL. */
bool kit_start(struct kit *kit, const char *const *more);

/* Its exit status, or 128 + signal; 255 + why when it does not end. */
int kit_wait(struct kit *kit);

/* What it wrote to stderr, after kit_wait(). */
void kit_read_error(struct kit *kit, struct strbuf *out);

/* A blocking connection to any unix socket, retried until it is there. */
int kit_connect(const char *path);

/* Whole texts through sockets and pipes: written, read, or both. */
bool kit_writes(int fd, const char *text);
bool kit_reads(int fd, const char *text);
bool kit_passes(int from, int to, const char *text);

/* The descriptors of a process. */
size_t kit_count_files(pid_t pid);

/* Replaces a file of dir by rename. */
void kit_replace_file(const char *dir, const char *name, const char *text);

/* The holder's socket; hello is read and answered. */
int kit_greet(struct kit *kit, struct wire_hello *ret_hello);

struct kit_go {
	bool tty;
	bool ends;
	const char *const *argv;
	const char *const *envp; /* NULL: a PATH */
	const char *cwd; /* NULL: / */
};

bool kit_send(int fd, const struct strbuf *frames);
bool kit_send_frame(int fd, enum wire_type type, const void *data, size_t len);
bool kit_go(int fd, const struct kit_go *go);
bool kit_exec(int fd, const struct kit_go *go);

/* kit_start(), greet, go with sh -c script; the connection or -1. */
int kit_shell(struct kit *kit, const char *script, bool tty, bool ends);

/* Reads one frame; false at the end, or when it is none. */
bool kit_frame(int fd, struct wire_decoder *dec, struct wire_frame *ret);

struct kit_output {
	struct strbuf out, err;
	bool started;
	int status; /* -1: the connection ended without one */
	char text[200]; /* of exit, or of a refusal */
};

/* Reads to the end. */
void kit_collect(int fd, struct kit_output *ret);
/* Reads until out contains text. */
bool kit_read_until(int fd, struct kit_output *o, const char *text);
void kit_output_release(struct kit_output *o);

#define KIT_OUTPUT_INIT                                 \
	{                                               \
		STRBUF_INIT, STRBUF_INIT, false, -1, "" \
	}

#endif /* DRYDOCK_TESTS_HOLDER_KIT_H */
