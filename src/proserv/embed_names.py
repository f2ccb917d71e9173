#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes given names as C: embed_names.py OUTPUT given_names.txt"""
import sys
from pathlib import Path

names = [line for line in Path(sys.argv[2]).read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
if names != sorted(set(names)) or not all(n.isascii() for n in names):
    sys.exit(f"{sys.argv[2]}: must be ASCII and sorted, each name once")
Path(sys.argv[1]).write_text("\n".join(
    ["/* SPDX-License-Identifier: Apache-2.0 */", "/* Made from given_names.txt by embed_names.py. */",
     '#include "proserv/text_person.h"', "", "const char *const given_names[] = {", *(f'\t"{n}",' for n in names), "};",
     f"const size_t n_given_names = {len(names)};", ""]), encoding="ascii")
