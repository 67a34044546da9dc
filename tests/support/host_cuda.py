"""CUDA kernels on the host, to test them without a GPU; on Linux only, through host_cuda.h.

Sanitizers of GCC find a kernel's races, and accesses out of bounds:

    CXXFLAGS="-g -fsanitize=thread" LD_PRELOAD=$(c++ -print-file-name=libtsan.so) python3 -m pytest ...
    CXXFLAGS="-g -fsanitize=address,undefined" LD_PRELOAD=$(c++ -print-file-name=libasan.so) \
        ASAN_OPTIONS=detect_leaks=0 python3 -m pytest ...
"""

import ctypes
import math
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np

HEADER = Path(__file__).with_name("host_cuda.h")
FLAGS = "-x c++ -std=c++20 -O2 -shared -fPIC -pthread -Wall -Wextra -Werror -Wno-unknown-pragmas -U_FORTIFY_SOURCE"

MAX_GRID = (2**31 - 1, 65535, 65535)
MAX_BLOCK = (1024, 1024, 64)
MAX_THREADS = 1024
MAX_SHARED = 48 << 10

_BOUNDS = r"(?:__launch_bounds__\s*\(\s*([^(),]*)[^()]*\)\s*)?"
_KERNEL = re.compile(rf"__global__\s+{_BOUNDS}void\s+{_BOUNDS}(\w+)\s*\(")
_DYNAMIC_SHARED = re.compile(r"\bextern\s+__shared__\s+([\w ]+?)\s+(\w+)\s*\[\s*\]\s*;")


def build(source, folder, *, fibers=False):
    """Compile the kernels of a source file into a folder, and return them; raises RuntimeError if that fails.

    A block's threads are threads of this machine. With ``fibers`` they take turns on one thread, in a random order that
    is the same at every launch; this is about a hundred times faster. Sanitizers always get threads, since they can't
    follow fibers.
    """
    commands = map(shlex.split, [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"])
    compiler = next((command for command in commands if shutil.which(command[0])), None)
    if not compiler:
        raise RuntimeError("no C++ compiler: set CXX, or install g++ or clang++")
    extra = shlex.split(os.environ.get("CXXFLAGS", ""))
    fibers = fibers and not any(flag.startswith("-fsanitize") for flag in extra)
    text = source.read_text(encoding="utf-8")
    body = _DYNAMIC_SHARED.sub(r"\1* const \2 = reinterpret_cast<\1*>(host::dynamic_shared);", text)
    unit = [f'#include "{HEADER}"', "namespace {", f'#line 1 "{source}"', body, "}  // namespace"]
    unit += [f"HOST_KERNEL({name}, {a or b or MAX_THREADS})" for a, b, name in _KERNEL.findall(text)]
    path = folder / f"{source.stem}-{'fibers' if fibers else 'threads'}.cpp"
    path.write_text("\n".join([*unit, ""]), encoding="utf-8")
    command = [*compiler, *FLAGS.split(), *extra, *["-DHOST_CUDA_FIBERS"] * fibers, path, "-o", path.with_suffix(".so")]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if result.returncode:
        raise RuntimeError(f"{source} does not compile:\n{result.stderr}")
    return HostModule(path.with_suffix(".so"))


class HostModule:
    """A stand-in for cupy.RawModule."""

    def __init__(self, library):
        # Index variables and shared memory are global; PyDLL keeps the interpreter's lock, so launches can't overlap.
        self._library = ctypes.PyDLL(library)

    def get_function(self, name):
        """Return a callable that launches the kernel of this name, like cupy.RawKernel."""
        return HostKernel(self._library, name)


class HostKernel:
    """A stand-in for cupy.RawKernel that also checks the types of arguments, and writes past shared memory.

    Parameters are named by kind and size, as NumPy does: ``f4`` is float, ``const i4*`` an array of int only read.
    """

    def __init__(self, library, name):
        self.name = name
        self._launch = library[f"host_launch_{name}"]
        self._launch.restype = ctypes.c_bool
        types, threads = library[f"host_types_{name}"], library[f"host_threads_{name}"]
        types.restype = ctypes.c_char_p
        self.types = tuple(filter(None, types().decode().split(",")))
        self.max_threads = threads()

    def __call__(self, grid, block, args, *, shared_mem=0):
        """Launch over a grid of blocks, 1 to 3 integers each, and return when all have ended."""
        grid, block = _dimensions("grid", grid, MAX_GRID), _dimensions("block", block, MAX_BLOCK)
        if math.prod(block) > self.max_threads:
            raise ValueError(f"{self.name}: block={block} has more threads than {self.max_threads}")
        if not 0 <= shared_mem <= MAX_SHARED:
            raise ValueError(f"{self.name}: shared_mem={shared_mem} must be 0 to {MAX_SHARED}")
        if len(args) != len(self.types):
            raise TypeError(f"{self.name} takes {len(self.types)} arguments, not {len(args)}")
        values = [self._value(*each) for each in zip(range(len(args)), args, self.types, strict=True)]
        pointers = (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values))
        if not self._launch((ctypes.c_uint * 6)(*grid, *block), shared_mem, pointers):
            raise RuntimeError(f"{self.name} wrote past the shared memory it was given")

    def _value(self, i, argument, expected):
        """Return the argument as the kernel gets it, in an array of one element: a pointer or a number."""
        if isinstance(argument, np.ndarray):
            if not argument.flags.c_contiguous:
                raise ValueError(f"{self.name}: argument {i} is not C-contiguous")
            value = np.array(argument.ctypes.data, np.uintp)
            given = f"{'' if argument.flags.writeable else 'const '}{_type(argument)}*"
        else:
            value = np.array(argument)
            given = _type(value)
        if given not in (expected, expected.removeprefix("const ")):
            raise TypeError(f"{self.name}: argument {i} is {given}, the kernel's parameter {expected}")
        return value


def _type(array):
    return f"{array.dtype.kind}{array.dtype.itemsize}"


def _dimensions(name, sizes, limits):
    if not (1 <= len(sizes) <= 3 and all(1 <= size <= most for size, most in zip(sizes, limits, strict=False))):
        raise ValueError(f"{name}={sizes} must be 1 to 3 sizes, at least 1 and at most {limits}")
    return *sizes, *[1] * (3 - len(sizes))
