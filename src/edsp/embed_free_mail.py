#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the free-mail providers as C: embed_free_mail.py OUTPUT free_mail.txt

    embed_free_mail.py --update domains.json      takes a newer list of the npm package free-email-domains into free_mail.txt
"""
import json
import sys
from pathlib import Path


def update(newer):
    path = Path(__file__).with_name("free_mail.txt")
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    names = sorted({n.strip().lower() for n in json.loads(Path(newer).read_text(encoding="utf-8")) if n.isascii() and "." in n})
    path.write_text("\n".join(head + names) + "\n", encoding="utf-8")


def embed(out, source):
    names = [line for line in Path(source).read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    if names != sorted(set(names)):
        sys.exit(f"{source}: must be sorted, each name once")
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */", "/* Made from free_mail.txt by embed_free_mail.py. */",
             '#include "edsp/company_int.h"', "", "const char *const free_mail_names[] = {",
             *(f'\t"{n}",' for n in names), "};", f"const size_t n_free_mail_names = {len(names)};", ""]
    Path(out).write_text("\n".join(lines), encoding="ascii")


if sys.argv[1] == "--update":
    update(sys.argv[2])
else:
    embed(*sys.argv[1:])
