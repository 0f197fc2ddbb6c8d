# SPDX-License-Identifier: MIT
plan_sources =
