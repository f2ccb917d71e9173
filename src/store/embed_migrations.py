#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the migrations as C: embed_migrations.py OUTPUT 0001_NAME.sql 0002_NAME.sql ..."""
import sys
from pathlib import Path

out, *inputs = sys.argv[1:]
lines = ["/* SPDX-License-Identifier: Apache-2.0 */", "/* Made from migrations/ by embed_migrations.py. */",
         '#include "store/migrate.h"', "", "const struct migration migrations[] = {"]
for number, path in enumerate(map(Path, inputs), 1):
    if not path.name.startswith(f"{number:04}_"):
        sys.exit(f"{path.name}: expected number {number:04} here; number migrations without gaps")
    lines.append(f'\t{{ "{path.name}",')
    source = path.read_text(encoding="ascii").splitlines()
    phases = [line.split(":")[1].strip() for line in source if line.startswith("-- phase:")]
    if phases not in (["expand"], ["contract"]):
        sys.exit(f"{path.name}: needs one line `-- phase: expand` or `-- phase: contract`")
    for line in source:
        text = line.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'\t    "{text}\\n"')
    lines.append(f'\t    , {str(phases == ["contract"]).lower()} }},')
lines += ["};", f"const int n_migrations = {len(inputs)};", ""]
Path(out).write_text("\n".join(lines), encoding="ascii")
