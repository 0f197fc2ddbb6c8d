dnl SPDX-License-Identifier: MIT
dnl Compiler and linker flags, each probed on top of those that passed before
dnl it (-Wformat-security needs -Wformat), and never put into the user's
dnl CFLAGS.

dnl DRYDOCK_PROBE(VARIABLE, FLAGS): appends FLAGS to VARIABLE if a program
dnl compiles and links with them; -Werror turns "unknown flag, ignored" to no.
AC_DEFUN([DRYDOCK_PROBE], [
	AC_MSG_CHECKING([whether $CC takes $2])
	drydock_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $$1 $2 -Werror"
	AC_LINK_IFELSE([AC_LANG_SOURCE([
#include <stdio.h>
int
main(void)
{
	return puts("") == EOF;
}
])],
	    [$1="$$1 $2"; AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
	CFLAGS=$drydock_saved_CFLAGS
])

AC_DEFUN([DRYDOCK_WARNINGS], [
	AC_ARG_ENABLE([werror],
	    [AS_HELP_STRING([--enable-werror], [warnings are errors])])
	WARN_CFLAGS=
	m4_foreach_w([drydock_flag], [-std=c11
	    -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wstrict-prototypes
	    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
	    -Wwrite-strings -Wundef -Wvla -Walloca -Wswitch-enum
	    -Wimplicit-fallthrough -Wnull-dereference -Wcast-align=strict
	    -Wlogical-op -Wduplicated-cond -Wduplicated-branches
	    -Wjump-misses-init -Wsign-conversion
	    -Werror=implicit-function-declaration
	    -Werror=incompatible-pointer-types -Werror=int-conversion
	    -Werror=return-type -Werror=format-security],
	    [DRYDOCK_PROBE([WARN_CFLAGS], drydock_flag)])
	AS_IF([test "x$enable_werror" = xyes],
	    [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
	AC_SUBST([WARN_CFLAGS])
])

AC_DEFUN([DRYDOCK_HARDENING], [
	AC_ARG_ENABLE([hardening],
	    [AS_HELP_STRING([--disable-hardening],
	    [no stack protector, FORTIFY, PIE, RELRO])])
	HARDEN_CFLAGS=
	HARDEN_CPPFLAGS=
	HARDEN_LDFLAGS=
	AS_IF([test "x$enable_hardening" != xno], [
		m4_foreach_w([drydock_flag], [-fstack-protector-strong
		    -fstack-clash-protection -fcf-protection=full
		    -ftrivial-auto-var-init=zero -fPIE],
		    [DRYDOCK_PROBE([HARDEN_CFLAGS], drydock_flag)])
		dnl One by one: a list would be split at the commas.
		DRYDOCK_PROBE([HARDEN_LDFLAGS], [-pie])
		DRYDOCK_PROBE([HARDEN_LDFLAGS], [-Wl,-z,relro])
		DRYDOCK_PROBE([HARDEN_LDFLAGS], [-Wl,-z,now])
		DRYDOCK_PROBE([HARDEN_LDFLAGS], [-Wl,-z,noexecstack])
		dnl Sanitizers have checks of their own that FORTIFY hides.
		AS_IF([test "x$enable_sanitizers" != xyes],
		    [DRYDOCK_PROBE([HARDEN_CPPFLAGS],
			[-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3])])
	])
	AC_SUBST([HARDEN_CFLAGS])
	AC_SUBST([HARDEN_CPPFLAGS])
	AC_SUBST([HARDEN_LDFLAGS])
])

AC_DEFUN([DRYDOCK_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
	    [AS_HELP_STRING([--enable-sanitizers],
	    [address and undefined behaviour sanitizers])])
	SAN_CFLAGS=
	AS_IF([test "x$enable_sanitizers" = xyes],
	    [DRYDOCK_PROBE([SAN_CFLAGS], [-fsanitize=address,undefined dnl
-fno-sanitize-recover=all -fno-omit-frame-pointer])
	    AS_IF([test -z "$SAN_CFLAGS"],
		[AC_MSG_ERROR([$CC has no sanitizers])])])
	AC_SUBST([SAN_CFLAGS])
])

AC_DEFUN([DRYDOCK_COVERAGE], [
	AC_ARG_ENABLE([coverage],
	    [AS_HELP_STRING([--enable-coverage], [gcov counters])])
	COV_CFLAGS=
	AS_IF([test "x$enable_coverage" = xyes],
	    [DRYDOCK_PROBE([COV_CFLAGS], [--coverage])
	    AS_IF([test -z "$COV_CFLAGS"],
		[AC_MSG_ERROR([$CC has no --coverage])])])
	AC_SUBST([COV_CFLAGS])
])

dnl libFuzzer comes with clang alone.  Its archive has a main(), so it stands
dnl where the programs that replay a corpus have theirs.
AC_DEFUN([DRYDOCK_FUZZERS], [
	AC_ARG_ENABLE([fuzzers],
	    [AS_HELP_STRING([--enable-fuzzers],
	    [libFuzzer targets for make fuzz (clang); with sanitizers])])
	FUZZ_CFLAGS=
	FUZZ_MAIN=
	AS_IF([test "x$enable_fuzzers" = xyes], [
		DRYDOCK_PROBE([FUZZ_CFLAGS], [-fsanitize=fuzzer-no-link])
		drydock_arch=`$CC -dumpmachine | sed 's/-.*//'`
		FUZZ_MAIN=`$CC -print-file-name=libclang_rt.fuzzer-$drydock_arch.a`
		AS_IF([test -z "$FUZZ_CFLAGS" || test ! -e "$FUZZ_MAIN"],
		    [AC_MSG_ERROR([$CC has no libFuzzer: use CC=clang])])
		FUZZ_MAIN="$FUZZ_MAIN -lstdc++ -lm -lpthread -ldl"
	])
	AC_SUBST([FUZZ_CFLAGS])
	AC_SUBST([FUZZ_MAIN])
	AM_CONDITIONAL([FUZZERS], [test "x$enable_fuzzers" = xyes])
])
