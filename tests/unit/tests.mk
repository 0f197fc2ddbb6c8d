# SPDX-License-Identifier: MIT
# One name a line, sorted.  tests/unit/test-x is made of tests/unit/test-x.c;
# one that needs --wrap also sets tests_unit_test_x_LDFLAGS below.
unit_tests = \
	tests/unit/test-agent \
	tests/unit/test-allowlist \
	tests/unit/test-answer \
	tests/unit/test-assemble \
	tests/unit/test-attach \
	tests/unit/test-attach-terminal \
	tests/unit/test-below \
	tests/unit/test-bootstrap \
	tests/unit/test-cargomanifest \
	tests/unit/test-cargoredirect \
	tests/unit/test-changes \
	tests/unit/test-check \
	tests/unit/test-collect \
	tests/unit/test-companion \
	tests/unit/test-conffile \
	tests/unit/test-container \
	tests/unit/test-context \
	tests/unit/test-crate \
	tests/unit/test-cratecompare \
	tests/unit/test-detach-key \
	tests/unit/test-diag \
	tests/unit/test-digest \
	tests/unit/test-egress \
	tests/unit/test-endpoint \
	tests/unit/test-endnote \
	tests/unit/test-engine \
	tests/unit/test-built \
	tests/unit/test-cacheseed \
	tests/unit/test-engine-calls \
	tests/unit/test-exec \
	tests/unit/test-forward \
	tests/unit/test-fs \
	tests/unit/test-fs-copy \
	tests/unit/test-fs-fault \
	tests/unit/test-fs-temp \
	tests/unit/test-fs-tree \
	tests/unit/test-gitident \
	tests/unit/test-gitrepo \
	tests/unit/test-agent-env \
	tests/unit/test-holder \
	tests/unit/test-hostclient \
	tests/unit/test-hostconf \
	tests/unit/test-http \
	tests/unit/test-jqprog \
	tests/unit/test-json \
	tests/unit/test-knownprojects \
	tests/unit/test-lease \
	tests/unit/test-library \
	tests/unit/test-links \
	tests/unit/test-listing \
	tests/unit/test-limits \
	tests/unit/test-lock \
	tests/unit/test-locks \
	tests/unit/test-mode \
	tests/unit/test-model \
	tests/unit/test-modzip \
	tests/unit/test-neighbours \
	tests/unit/test-npmpackage \
	tests/unit/test-npmrange \
	tests/unit/test-npmcheck \
	tests/unit/test-npmredirect \
	tests/unit/test-npmroot \
	tests/unit/test-options \
	tests/unit/test-otherhostile \
	tests/unit/test-otherpatches \
	tests/unit/test-outcome \
	tests/unit/test-patchcheck \
	tests/unit/test-patchledger \
	tests/unit/test-patchplace \
	tests/unit/test-patchtext \
	tests/unit/test-patchtree \
	tests/unit/test-patchtools \
	tests/unit/test-paths \
	tests/unit/test-policy \
	tests/unit/test-policy-added \
	tests/unit/test-policy-check \
	tests/unit/test-policy-sources \
	tests/unit/test-port \
	tests/unit/test-ports \
	tests/unit/test-prepare \
	tests/unit/test-proc \
	tests/unit/test-proc-end \
	tests/unit/test-procfacts \
	tests/unit/test-program \
	tests/unit/test-project \
	tests/unit/test-prove \
	tests/unit/test-proxy \
	tests/unit/test-proxyaddr \
	tests/unit/test-proxyconf \
	tests/unit/test-proxyhead \
	tests/unit/test-proxylist \
	tests/unit/test-proxylog \
	tests/unit/test-record \
	tests/unit/test-relay \
	tests/unit/test-reserved \
	tests/unit/test-resolve \
	tests/unit/test-resolver \
	tests/unit/test-restore \
	tests/unit/test-scratch \
	tests/unit/test-seal \
	tests/unit/test-seed \
	tests/unit/test-serve \
	tests/unit/test-session \
	tests/unit/test-settings \
	tests/unit/test-slot \
	tests/unit/test-sockets \
	tests/unit/test-spawn \
	tests/unit/test-sshproto \
	tests/unit/test-state \
	tests/unit/test-strbuf \
	tests/unit/test-strvec \
	tests/unit/test-sync \
	tests/unit/test-sync-filter \
	tests/unit/test-termfilter \
	tests/unit/test-termmodes \
	tests/unit/test-token \
	tests/unit/test-toml \
	tests/unit/test-toolchain \
	tests/unit/test-trusted \
	tests/unit/test-usage \
	tests/unit/test-userfile \
	tests/unit/test-verify \
	tests/unit/test-verify-inspect \
	tests/unit/test-view \
	tests/unit/test-viewers \
	tests/unit/test-wire \
	tests/unit/test-yaml

# The engine room's tests run against a scripted docker.
dist_check_SCRIPTS = tests/stub/docker tests/stub/docker-compose
stub_bed = tests/unit/stub-bed.c tests/unit/stub-bed.h
tests_unit_test_engine_SOURCES = tests/unit/test-engine.c $(stub_bed)
tests_unit_test_built_SOURCES = tests/unit/test-built.c $(stub_bed)
tests_unit_test_engine_calls_SOURCES = tests/unit/test-engine-calls.c \
	$(stub_bed)
tests_unit_test_model_SOURCES = tests/unit/test-model.c \
	tests/unit/model-state.c tests/unit/model-state.h
tests_unit_test_view_SOURCES = tests/unit/test-view.c $(stub_bed)
tests_unit_test_view_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=poll \
	-Wl,--wrap=monotime_ms -Wl,--wrap=monotime_left_ms

zip_kit = tests/unit/zip-kit.c tests/unit/zip-kit.h
tests_unit_test_modzip_SOURCES = tests/unit/test-modzip.c $(zip_kit)

# Trees are made in one way.
tree_kit = tests/unit/tree-kit.c tests/unit/tree-kit.h
tests_unit_test_cacheseed_SOURCES = tests/unit/test-cacheseed.c \
	$(tree_kit) $(zip_kit)
tests_unit_test_cacheseed_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fs_copy_bytes
tar_kit = tests/unit/tar-kit.c tests/unit/tar-kit.h
tests_unit_test_crate_SOURCES = tests/unit/test-crate.c $(tar_kit) $(tree_kit)
tests_unit_test_npmpackage_SOURCES = tests/unit/test-npmpackage.c \
	$(tar_kit) $(tree_kit)
tests_unit_test_patchplace_SOURCES = tests/unit/test-patchplace.c $(tree_kit)
tests_unit_test_patchplace_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fchmod \
	-Wl,--wrap=fsync -Wl,--wrap=mkdirat -Wl,--wrap=renameat2 \
	-Wl,--wrap=unlinkat -Wl,--wrap=write
tests_unit_test_patchtree_SOURCES = tests/unit/test-patchtree.c $(tree_kit)
tests_unit_test_sockets_SOURCES = tests/unit/test-sockets.c $(tree_kit)
tests_unit_test_fs_SOURCES = tests/unit/test-fs.c $(tree_kit)
tests_unit_test_fs_copy_SOURCES = tests/unit/test-fs-copy.c $(tree_kit)
tests_unit_test_fs_fault_SOURCES = tests/unit/test-fs-fault.c $(tree_kit)
tests_unit_test_fs_temp_SOURCES = tests/unit/test-fs-temp.c $(tree_kit)
tests_unit_test_fs_tree_SOURCES = tests/unit/test-fs-tree.c $(tree_kit)

tests_unit_test_fs_fault_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=write \
	-Wl,--wrap=fchmod -Wl,--wrap=fsync -Wl,--wrap=renameat \
	-Wl,--wrap=unlinkat

tests_unit_test_lock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=flock

tests_unit_test_proc_end_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=read

# It links libarchive, which drydock loads, to read what drydock packed.
tests_unit_test_context_LDADD = $(LDADD) $(ARCHIVE_LIBS)

# The proxy's files are no part of libdrydock.a.
proxy_parse = src/guest/proxyaddr.c src/guest/proxyhead.c
tests_unit_test_proxy_SOURCES = tests/unit/test-proxy.c $(proxy_parse) \
	src/guest/egress.c src/guest/lease.c src/guest/lookup.c src/guest/proxy.c \
	src/guest/proxylist.c src/guest/proxylog.c src/guest/refusal.c \
	$(holder_kit)
tests_unit_test_proxy_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=proxyaddr_judge \
	-Wl,--wrap=res_nquery
tests_unit_test_proxy_LDADD = $(LDADD) -lresolv
tests_unit_test_proxyaddr_SOURCES = tests/unit/test-proxyaddr.c \
	src/guest/proxyaddr.c
tests_unit_test_proxyhead_SOURCES = tests/unit/test-proxyhead.c $(proxy_parse)
tests_unit_test_proxylist_SOURCES = tests/unit/test-proxylist.c \
	$(proxy_parse) src/guest/proxylist.c
tests_unit_test_proxylog_SOURCES = tests/unit/test-proxylog.c \
	src/guest/proxylog.c
tests_unit_test_proxyconf_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=inet_ntop

tests_unit_test_session_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=readdir

tests_unit_test_sync_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fs_read_fd

home_kit = tests/unit/home-kit.c tests/unit/home-kit.h
tests_unit_test_knownprojects_SOURCES = tests/unit/test-knownprojects.c \
	$(home_kit) $(tree_kit)
tests_unit_test_below_SOURCES = tests/unit/test-below.c $(tree_kit)
tests_unit_test_below_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=readdir
tests_unit_test_npmroot_SOURCES = tests/unit/test-npmroot.c $(tree_kit)
patch_bed = tests/unit/patch-bed.c tests/unit/patch-bed.h $(tree_kit)
tests_unit_test_npmcheck_SOURCES = tests/unit/test-npmcheck.c $(patch_bed)
tests_unit_test_patchcheck_SOURCES = tests/unit/test-patchcheck.c $(patch_bed)
tests_unit_test_program_SOURCES = tests/unit/test-program.c $(tree_kit)
tests_unit_test_resolve_SOURCES = tests/unit/test-resolve.c $(tree_kit)
tests_unit_test_trusted_SOURCES = tests/unit/test-trusted.c \
	$(home_kit) $(tree_kit)
tests_unit_test_paths_SOURCES = tests/unit/test-paths.c $(home_kit)
tests_unit_test_patchtools_SOURCES = tests/unit/test-patchtools.c $(tree_kit)
tests_unit_test_patchtools_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=program_find_system -Wl,--wrap=fstatat
tests_unit_test_scratch_SOURCES = tests/unit/test-scratch.c $(tree_kit)
tests_unit_test_state_SOURCES = tests/unit/test-state.c $(home_kit)
tests_unit_test_state_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fstatfs \
	-Wl,--wrap=fsync -Wl,--wrap=renameat2

# The holder's tests drive the real one.
holder_kit = tests/unit/holder-kit.c tests/unit/holder-kit.h
viewer_kit = tests/unit/viewer-kit.c tests/unit/viewer-kit.h $(holder_kit)
tests_unit_test_attach_SOURCES = tests/unit/test-attach.c $(viewer_kit)
tests_unit_test_attach_terminal_SOURCES = tests/unit/test-attach-terminal.c \
	$(viewer_kit)
tests_unit_test_endnote_SOURCES = tests/unit/test-endnote.c $(holder_kit)
tests_unit_test_holder_SOURCES = tests/unit/test-holder.c $(holder_kit)
tests_unit_test_policy_check_SOURCES = tests/unit/test-policy-check.c \
	$(holder_kit)
tests_unit_test_limits_SOURCES = tests/unit/test-limits.c $(holder_kit)
tests_unit_test_allowlist_SOURCES = tests/unit/test-allowlist.c $(data_kit)
tests_unit_test_userfile_SOURCES = tests/unit/test-userfile.c $(data_kit)
tests_unit_test_outcome_SOURCES = tests/unit/test-outcome.c \
	src/guest/limits.c $(data_kit)
tests_unit_test_relay_SOURCES = tests/unit/test-relay.c $(holder_kit)
tests_unit_test_port_SOURCES = tests/unit/test-port.c $(holder_kit)
tests_unit_test_exec_SOURCES = tests/unit/test-exec.c $(holder_kit)
tests_unit_test_lease_SOURCES = tests/unit/test-lease.c \
	src/guest/lease.c src/guest/lease.h
tests_unit_test_spawn_SOURCES = tests/unit/test-spawn.c src/guest/spawn.c
tests_unit_test_serve_SOURCES = tests/unit/test-serve.c $(holder_kit)
tests_unit_test_viewers_SOURCES = tests/unit/test-viewers.c $(holder_kit)

# The plan room's tests stand on models that Compose made of the overlays.
dist_noinst_DATA = tests/unit/model-contained.json tests/unit/model-dood.json
data_kit = tests/unit/data-kit.c tests/unit/data-kit.h
plan_bed = tests/unit/plan-bed.c tests/unit/plan-bed.h $(data_kit)
project_bed = tests/unit/project-bed.c tests/unit/project-bed.h $(data_kit)
tests_unit_test_changes_SOURCES = tests/unit/test-changes.c $(project_bed)
tests_unit_test_restore_SOURCES = tests/unit/test-restore.c $(project_bed)
tests_unit_test_restore_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=renameat2
tests_unit_test_agent_SOURCES = tests/unit/test-agent.c $(data_kit)
tests_unit_test_reserved_SOURCES = tests/unit/test-reserved.c $(data_kit)
tests_unit_test_toolchain_SOURCES = tests/unit/test-toolchain.c $(data_kit)
tests_unit_test_assemble_SOURCES = tests/unit/test-assemble.c $(plan_bed)
policy_kit = tests/unit/policy-kit.c tests/unit/policy-kit.h $(plan_bed)
tests_unit_test_policy_SOURCES = tests/unit/test-policy.c $(policy_kit)
tests_unit_test_policy_added_SOURCES = tests/unit/test-policy-added.c \
	$(policy_kit)
tests_unit_test_policy_sources_SOURCES = tests/unit/test-policy-sources.c \
	$(policy_kit)
tests_unit_test_prepare_SOURCES = tests/unit/test-prepare.c $(plan_bed)
tests_unit_test_seal_SOURCES = tests/unit/test-seal.c $(plan_bed)

# Those of verify and its parsers stand on one container.
verify_kit = tests/unit/verify-kit.c tests/unit/verify-kit.h
tests_unit_test_procfacts_SOURCES = tests/unit/test-procfacts.c $(verify_kit)
tests_unit_test_verify_SOURCES = tests/unit/test-verify.c $(verify_kit)
tests_unit_test_verify_inspect_SOURCES = tests/unit/test-verify-inspect.c \
	$(verify_kit)

proc_kit = tests/unit/proc-kit.c tests/unit/proc-kit.h
tests_unit_test_proc_SOURCES = tests/unit/test-proc.c $(proc_kit)
tests_unit_test_proc_end_SOURCES = tests/unit/test-proc-end.c $(proc_kit)
tests_unit_test_otherhostile_SOURCES = tests/unit/test-otherhostile.c \
	$(tree_kit)
tests_unit_test_otherpatches_SOURCES = tests/unit/test-otherpatches.c \
	$(tree_kit)
