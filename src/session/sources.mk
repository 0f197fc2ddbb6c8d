# SPDX-License-Identifier: MIT
session_sources =
