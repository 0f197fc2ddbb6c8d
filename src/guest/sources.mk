# SPDX-License-Identifier: MIT
# The holder's own files, and the files of base that it is linked with.
guest_sources = \
	src/guest/client.c \
	src/guest/client.h \
	src/guest/command.c \
	src/guest/command.h \
	src/guest/egress.c \
	src/guest/egress.h \
	src/guest/exec.c \
	src/guest/exec.h \
	src/guest/fallback.c \
	src/guest/fallback.h \
	src/guest/hold.c \
	src/guest/hold.h \
	src/guest/holder.c \
	src/guest/limits.c \
	src/guest/limits.h \
	src/guest/note.c \
	src/guest/note.h \
	src/guest/policy.c \
	src/guest/policy.h \
	src/guest/probe-net.c \
	src/guest/probe.c \
	src/guest/probe.h \
	src/guest/promise.c \
	src/guest/promise.h \
	src/guest/prove.c \
	src/guest/prove.h \
	src/guest/proxylog.c \
	src/guest/proxylog.h \
	src/guest/refusal.c \
	src/guest/refusal.h \
	src/guest/relay.c \
	src/guest/relay.h \
	src/guest/screen.c \
	src/guest/screen.h \
	src/guest/serve.c \
	src/guest/serve.h \
	src/guest/spawn.c \
	src/guest/spawn.h \
	src/guest/tunnel.c \
	src/guest/tunnel.h \
	src/guest/wire.c \
	src/guest/wire.h
guest_base_sources = \
	src/base/cleanup.c \
	src/base/cleanup.h \
	src/base/diag.c \
	src/base/diag.h \
	src/base/digest.c \
	src/base/digest.h \
	src/base/listen.c \
	src/base/listen.h \
	src/base/loop.c \
	src/base/loop.h \
	src/base/monotime.c \
	src/base/monotime.h \
	src/base/queue.c \
	src/base/queue.h \
	src/base/strbuf.c \
	src/base/strbuf.h \
	src/base/strvec.c \
	src/base/strvec.h \
	src/base/utf8.c \
	src/base/utf8.h \
	src/base/xalloc.c \
	src/base/xalloc.h
