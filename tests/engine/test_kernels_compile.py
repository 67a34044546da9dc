"""kernels.cu compiles without a warning for all supported GPUs, with CuPy's compiler and without a GPU."""

import ctypes
import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audiostyle_fx._engine.kernels.launch import OPTIONS, SOURCE

CAPABILITIES = ("75", "80", "86", "89", "90", "100", "120")


def nvrtc(path):
    """Return a function that compiles a source with a library of NVRTC and returns its messages."""
    library = ctypes.CDLL(path)

    def messages(source, capability):
        options = [option.encode() for option in (*OPTIONS, f"--gpu-architecture=sm_{capability}")]
        program, size = ctypes.c_void_p(), ctypes.c_size_t()
        assert library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None) == 0
        error = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
        assert library.nvrtcGetProgramLogSize(program, ctypes.byref(size)) == 0
        log = ctypes.create_string_buffer(size.value)
        assert library.nvrtcGetProgramLog(program, log) == 0
        assert library.nvrtcDestroyProgram(ctypes.byref(program)) == 0
        return log.value.decode().strip() or ("" if error == 0 else f"NVRTC error {error}")

    return messages


def nvcc(folder):
    """Return a function that compiles a source with the nvcc on the path and returns its messages."""

    def messages(source, capability):
        (folder / "kernels.cu").write_text(source, encoding="utf-8")
        command = ["nvcc", *OPTIONS, f"-arch=sm_{capability}", "-Werror", "all-warnings", "-cubin", "kernels.cu"]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return (result.stdout + result.stderr).strip() or ("" if result.returncode == 0 else "nvcc failed")

    return messages


@pytest.fixture(scope="module")
def compilers(tmp_path_factory):
    """Every NVRTC that pip has installed, for CUDA 12 or 13; without any, nvcc."""
    packages = importlib.util.find_spec("nvidia")
    folders = packages.submodule_search_locations if packages else []
    found = [nvrtc(path) for folder in folders for path in Path(folder).glob("*/lib/libnvrtc.so.*")]
    if not found and shutil.which("nvcc"):
        found = [nvcc(tmp_path_factory.mktemp("nvcc"))]
    if not found and (sys.platform, platform.machine()) == ("linux", "x86_64"):
        pytest.fail("no compiler for CUDA: the extra `test` brings one, pip install --editable '.[test]'")
    if not found:
        pytest.skip("no compiler for CUDA here")
    return found


@pytest.mark.parametrize("capability", [pytest.param(c, marks=[pytest.mark.slow] * (c != "90")) for c in CAPABILITIES])
def test_kernels_compile(compilers, capability):
    for messages in compilers:
        assert messages(SOURCE.read_text(encoding="utf-8"), capability) == ""


@pytest.mark.parametrize(("body", "complaint"), [("int unused;", "never referenced"), ("x[0] = y;", "undefined")])
def test_warnings_and_errors_would_show(compilers, body, complaint):
    for messages in compilers:
        assert complaint in messages(f'extern "C" __global__ void kernel(float *x) {{ {body} }}', CAPABILITIES[0])


def test_too_much_shared_memory_would_show(compilers):
    body = "__shared__ float s[12289]; s[threadIdx.x] = x[0]; __syncthreads(); x[0] = s[threadIdx.x + 1];"
    for messages in compilers:
        assert "too much shared data" in messages(f'extern "C" __global__ void kernel(float *x) {{ {body} }}', "90")
