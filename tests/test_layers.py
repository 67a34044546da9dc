"""The order of the package's modules: each imports only what stands below it, and nothing heavy before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import audiostyle_fx

PACKAGE = Path(audiostyle_fx.__file__).parent
KERNELS = {"cublas", "backend", "cards", "arc_cosine", "kernels"}
NUMERICAL = KERNELS | {"spectral", "scaling", "infinite_width", "random_conv", "optimize", "phase", "waveform"}
BELOW_OBJECTIVES = KERNELS | {"scaling", "spectral"}
BELOW_WORKS = {"stages", "sections", "excerpts", "sample_file", "audio", "dynamics", "styles", "progress"}
BELOW_CLI = {"effect", "plugins", "grammar", "completion", "chain", "manifest", "folder", "workers", "watch"}
BELOW_CLI |= {"selection", "task", "report"}
BELOW_TRANSFER = NUMERICAL | BELOW_WORKS | {"parameters"}

MAY_IMPORT = {
    "cublas": set(),
    "backend": {"cublas"},
    "cards": {"backend"},
    "arc_cosine": {"backend"},
    "kernels": {"backend", "arc_cosine"},
    "spectral": KERNELS,
    "scaling": {"backend"},
    "infinite_width": BELOW_OBJECTIVES,
    "random_conv": BELOW_OBJECTIVES,
    "optimize": BELOW_OBJECTIVES,
    "phase": NUMERICAL - {"phase", "waveform"},
    "waveform": NUMERICAL - {"phase", "waveform"},
    "parameters": {"cards", "spectral"},
    "stages": NUMERICAL | {"parameters", "progress"},
    "sections": set(),
    "excerpts": set(),
    "sample_file": set(),
    "audio": {"parameters", "sample_file"},
    "dynamics": {"audio", "sample_file"},
    "styles": {"audio", "backend"},
    "progress": set(),
    "works": BELOW_TRANSFER,
    "picture": {"spectral"},
    "plots": {"picture", "stages"},
    "report": {"audio", "picture", "selection"},
    "transfer": BELOW_TRANSFER | {"works", "plots"},
    "streaming": BELOW_TRANSFER | {"works"},
    "pedalboard_bridge": set(),
    "effect": BELOW_TRANSFER | {"works", "transfer", "streaming", "pedalboard_bridge"},
    "plugins": set(),
    "grammar": {"plugins"},
    "completion": {"plugins"},
    "chain": BELOW_TRANSFER | {"works", "transfer", "effect", "plugins", "grammar"},
    "manifest": {"audio"},
    "workers": {"backend", "cards"},
    "selection": {"audio", "parameters"},
    "task": BELOW_TRANSFER | {"grammar", "chain", "manifest"},
    "folder": BELOW_TRANSFER | {"grammar", "chain", "manifest", "selection", "task", "watch", "workers"},
    "watch": {"progress"},
    "cli": BELOW_TRANSFER | BELOW_CLI,
    "__main__": {"cli"},
    "__init__": BELOW_TRANSFER | {"works", "transfer", "effect", "pedalboard_bridge", "folder"},
}
HEAVY = {"matplotlib", "dask", "distributed", "cupy", "torch"}


def imported(name):
    """The modules of the package, and the other packages, that a module imports anywhere in its code."""
    own, others = set(), set()
    for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            own |= {node.module.partition(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            others.add(node.module.partition(".")[0])
    return own, others


def test_every_module_has_its_place():
    assert {path.stem for path in PACKAGE.glob("*.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_imports_run_downward(name):
    own, others = imported(name)
    assert own <= MAY_IMPORT[name]
    assert "audiostyle_fx" not in others, "imports within the package are relative"


@pytest.mark.parametrize("name", sorted(BELOW_TRANSFER | {"works", "transfer"}))
def test_the_transfer_knows_nothing_of_pedalboard(name):
    assert not {module for module in imported(name)[1] if module.startswith("pedalboard")}


@pytest.mark.parametrize("name", sorted(NUMERICAL - {"kernels"}))  # which reads its source
def test_numerical_modules_read_and_write_no_files(name):
    assert not imported(name)[1] & {"soundfile", "tqdm", "pathlib", "tempfile"}


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = "import sys, audiostyle_fx, audiostyle_fx.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, timeout=60
    )
    assert loaded.returncode == 0, loaded.stderr
    assert {"audiostyle_fx", "numpy", "pedalboard"} <= set(loaded.stdout.split())
    assert not HEAVY & set(loaded.stdout.split())
