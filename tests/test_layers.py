"""The package's layers: a folder imports only folders of a lower layer, and nothing heavy is imported before use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import audiostyle_fx

PACKAGE = Path(audiostyle_fx.__file__).parent

# From the bottom up; names in one row know nothing of each other.
LAYERS = [
    {"_bounded_cache", "_validation", "errors", "progress"},
    {"_engine"},
    {"_recordings", "figures"},
    {"_transfer", "hosting"},
    {"effect"},
    {"_effects_chain", "report"},
    {"folders"},
    {"cli", "__init__"},
    {"__main__"},
]
INNER_LAYERS = {
    "_engine": [{"arrays"}, {"cuda"}, {"kernels"}, {"spectra"}, {"objectives", "optimizers"}],
    "_transfer": [{"parameters", "results"}, {"setup"}, {"styles"}, {"stages"}, {"whole_recordings"}, {"api"}],
}

HEAVY = {"matplotlib", "dask", "distributed", "cupy", "torch"}
ALLOWED = {"_engine": {"numpy", "scipy", "threadpoolctl", "cupy"}, "hosting": {"numpy", "pedalboard"}}
"""The third-party packages that a folder may import, where that is limited."""


def modules(folder):
    return sorted(path.relative_to(PACKAGE).with_suffix("") for path in folder.rglob("*.py"))


def imported(module):
    """The modules of the package, as paths below it, and the other packages, that a module imports anywhere."""
    own, others = set(), set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = [*module.parts[: -node.level], *(node.module or "").split(".")]
            names = [base] if node.module else [[*base[:-1], alias.name] for alias in node.names]
            own |= {tuple(name) for name in names}
        elif isinstance(node, ast.ImportFrom):
            others.add(node.module.partition(".")[0])
    return own, others


def rises(module, layers, depth):
    """The imports of a module from its own layer or a higher one, except from its own folder."""
    rank = {name: number for number, layer in enumerate(layers) for name in layer}
    here = module.parts[depth]
    targets = {name[depth] for name in imported(module)[0] if name[:depth] == module.parts[:depth]} - {here}
    return {target for target in targets if rank[target] >= rank[here]}


def test_every_file_and_folder_has_a_layer():
    assert {module.parts[0] for module in modules(PACKAGE)} == set().union(*LAYERS)
    for folder, layers in INNER_LAYERS.items():
        assert {module.parts[1] for module in modules(PACKAGE / folder)} - {"__init__"} == set().union(*layers)


@pytest.mark.parametrize("module", modules(PACKAGE), ids=str)
def test_imports_run_downward(module):
    assert not rises(module, LAYERS, 0)
    if module.parts[0] in INNER_LAYERS and module.name != "__init__":
        assert not rises(module, INNER_LAYERS[module.parts[0]], 1)
    others = imported(module)[1]
    assert "audiostyle_fx" not in others, "imports within the package are relative"
    foreign = others - sys.stdlib_module_names
    assert foreign <= ALLOWED.get(module.parts[0], foreign)


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = "import sys, audiostyle_fx, audiostyle_fx.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, timeout=60
    )
    assert loaded.returncode == 0, loaded.stderr
    modules = set(loaded.stdout.split())
    assert {"audiostyle_fx", "numpy", "pedalboard"} <= modules
    assert not HEAVY & {name.partition(".")[0] for name in modules} and "scipy.signal" not in modules
