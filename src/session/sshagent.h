/* SPDX-License-Identifier: MIT */
/*
 * sshagent: a filtered ssh agent for a session.
 *
 * The companion listens in run/ and passes two requests on to the user's own
 * agent: the list of keys, from which keys that the user did not choose are
 * removed, and signing with a chosen key.  All other requests are refused, and
 * the user's agent does not see them.  Private keys never leave that agent.
 *
 * The keys and the agent's socket are in a file of the session's directory,
 * which is read for each request.  Each signature is appended to a log there
 * before the session gets it: one JSON object a line, with "time", "event"
 * ("signed", "refused"), "key" and, when signed, "for" ("login", "file",
 * "other") and "detail" (user name or namespace).  When the log is full or
 * cannot be written, nothing is signed.
 */
#ifndef DRYDOCK_SSHAGENT_H
#define DRYDOCK_SSHAGENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/listen.h"
#include "base/loop.h"
#include "host/mode.h"

struct diag;
struct settings;
struct sshagent_peer;

#define SSHAGENT_SOCKET "ssh-agent.sock" /* in run/ */
#define SSHAGENT_PATH "/run/drydock/" SSHAGENT_SOCKET /* in the session */
#define SSHAGENT_LOG "ssh-agent.log" /* in the session's directory */
#define SSHAGENT_LOG_MAX ((size_t)4 * 1024 * 1024) /* bytes of the log */

struct sshagent {
	struct loop *loop;
	int session_fd; /* borrowed */
	int run_fd; /* owned; -1: not open */
	int log_fd; /* owned; -1: not open */
	struct listener listener;
	struct sshagent_peer *peers; /* owned */
	size_t npeers;
	size_t nrefused; /* requests that were logged as refused */
};

#define SSHAGENT_INIT                      \
	{                                  \
		.run_fd = -1, .log_fd = -1 \
	}

/*
 * Writes the file anew for a start of the session, or removes it if the
 * settings ask for no agent.  socket is the caller's SSH_AUTH_SOCK, or NULL.
 * If the session cannot have an agent, prints a warning and leaves no file.
 */
void sshagent_renew(int session_fd, const struct settings *settings,
    enum mode mode, const char *socket, bool git_signs);

/* Returns true if the file says that the session's git signs by the agent. */
bool sshagent_signs_git(int session_fd);

/* Returns true if the session has the file; without it, it has no agent. */
bool sshagent_present(int session_fd);

/*
 * Replaces the socket in the file, if the session has the file and an agent
 * listens at socket.  A user who logs in again has another agent; a shell in
 * tmux may know only one that has ended.
 */
int sshagent_move(int session_fd, const char *socket, struct diag *dg);

/* Listens in run/, if the session has the file. */
int sshagent_open(
    struct sshagent *agent, struct loop *loop, int session_fd, struct diag *dg);
void sshagent_release(struct sshagent *agent);

#endif /* DRYDOCK_SSHAGENT_H */
