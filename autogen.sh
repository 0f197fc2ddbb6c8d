#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes configure and Makefile.in, which the repository does not carry.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf -fi
