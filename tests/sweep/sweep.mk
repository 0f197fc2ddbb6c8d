# SPDX-License-Identifier: MIT
# A stand-in for docker and Compose that keeps containers, and drydock with the
# facts of that world; tests/sweep/sweep runs them.
sweep_programs = \
	tests/stub/world \
	tests/sweep/drydock-world \
	tests/sweep/inject \
	tests/sweep/names.so \
	tests/sweep/worker

tests_stub_world_SOURCES = \
	tests/stub/world-answers.c \
	tests/stub/world-body.c \
	tests/stub/world-build.c \
	tests/stub/world-config.c \
	tests/stub/world-init.c \
	tests/stub/world-logs.c \
	tests/stub/world-script.c \
	tests/stub/world-serve.c \
	tests/stub/world-up.c \
	tests/stub/world.c \
	tests/stub/world.h
tests_stub_world_LDADD = libdrydock.a $(STUB_LIBS) $(NETTLE_LIBS) $(BSD_LIBS)
tests_stub_world_LDFLAGS = $(STUB_LDFLAGS)

tests_sweep_drydock_world_SOURCES = src/cmd/main.c tests/sweep/facts.c
tests_sweep_drydock_world_LDADD = $(drydock_libs)
tests_sweep_drydock_world_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=proc_facts_open -Wl,--wrap=proc_facts_read \
	-Wl,--wrap=pthread_create -Wl,--wrap=paths_find \
	-Wl,--wrap=jqprog_compile -Wl,--wrap=jqprog_run \
	-Wl,--wrap=jqprog_free -Wl,--wrap=jqprog_freep

sweep_tracing = \
	tests/sweep/die.c \
	tests/sweep/die.h \
	tests/sweep/trace.c \
	tests/sweep/trace.h

tests_sweep_inject_SOURCES = tests/sweep/inject.c $(sweep_tracing)
tests_sweep_inject_LDADD = $(drydock_libs)
tests_sweep_inject_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed

# For strace, which has neither sanitizers nor a counter of what was run.
tests_sweep_names_so_SOURCES = tests/sweep/names.c
tests_sweep_names_so_CFLAGS = $(WARN_CFLAGS) -fPIC
tests_sweep_names_so_LDFLAGS = -shared
tests_sweep_names_so_LDADD =

tests_sweep_worker_SOURCES = \
	tests/sweep/outcome.c \
	tests/sweep/outcome.h \
	tests/sweep/tree.c \
	tests/sweep/tree.h \
	tests/sweep/worker.c \
	$(sweep_tracing)
tests_sweep_worker_LDADD = $(drydock_libs)
tests_sweep_worker_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed

# What tests without unit tests need.
sweep-programs: $(sweep_programs)

# The scenarios one by one, with every errno.
sweep: $(sweep_programs) holder
	$(srcdir)/tests/sweep/sweep --build . --source $(srcdir) --full

.PHONY: sweep sweep-programs
