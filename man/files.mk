# SPDX-License-Identifier: MIT
man_files =
