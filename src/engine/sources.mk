# SPDX-License-Identifier: MIT
engine_sources =
