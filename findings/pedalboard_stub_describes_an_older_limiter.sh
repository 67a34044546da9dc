#!/usr/bin/env bash
# pedalboard 0.9.26: the type stub in the wheel (pedalboard_native/__init__.pyi) is not made of the extension module
# next to it. Signatures agree, but the stub documents Limiter as "a simple limiter", where the module itself says that
# it applies makeup gain which can't be turned off, and it leaves out half of what the module says of BrickwallLimiter.
# A tool that reads documentation from stubs, as editors do, hides the gain from its user.
# Seen: stub without "makeup gain" for Limiter, module with it; 5 lines of BrickwallLimiter in the stub, 27 in the
# module.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet pedalboard==0.9.26
cd "$folder"
env/bin/python - <<'PYTHON'
import ast
import inspect
from importlib.metadata import version
from pathlib import Path

import pedalboard

stub = Path(pedalboard.__file__).parents[1] / "pedalboard_native" / "__init__.pyi"
classes = {node.name: node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ClassDef)}
stated = {name: ast.get_docstring(classes[name]) for name in ("Limiter", "BrickwallLimiter")}
actual = {name: inspect.getdoc(getattr(pedalboard, name)) for name in stated}
print("pedalboard", version("pedalboard"))
for name in stated:
    print(f"{name}: {len(stated[name].splitlines())} lines in the stub, {len(actual[name].splitlines())} in the module")
assert "makeup gain" not in stated["Limiter"].lower(), "the stub tells of the gain now"
assert "makeup gain" in actual["Limiter"].lower(), "the module does not tell of the gain any more"
assert len(actual["BrickwallLimiter"].splitlines()) > 5 * len(stated["BrickwallLimiter"].splitlines())
PYTHON
