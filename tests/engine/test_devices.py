"""Which devices can be used, and what is missing where one can't be."""

import sys
import warnings

import pytest
from support import cupy_stand_in

from audiostyle_fx._engine.cuda import devices


@pytest.fixture(autouse=True)
def unknown_devices():
    devices.forget_devices()
    yield
    devices.forget_devices()


def test_auto_is_every_gpu(cupy):
    assert devices.device_names("auto") == devices.device_names("cuda")
    assert devices.device_names("cuda")[0] == "cuda:0"
    assert devices.device_names("cuda:0") == ["cuda:0"]


def test_the_cpu_can_always_be_used(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: pytest.fail("CuPy was looked for"))
    devices.check_device("cpu")
    devices.check_device("auto")
    assert devices.device_names("cpu") == ["cpu"]


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:a", "CUDA", "", None, 0])
def test_other_names_are_refused(device):
    with pytest.raises(ValueError, match="'auto', 'cpu', 'cuda' or 'cuda:' and the number of a GPU"):
        devices.check_device(device)


def test_a_number_without_a_gpu_is_refused(cupy):
    with pytest.raises(ValueError, match=r"device='cuda:77' must be one of cuda:0"):
        devices.check_device("cuda:77")


def test_without_cupy(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    assert devices.device_names("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match=r"'cuda'.*CuPy is not installed \(pip install 'audiostyle-fx\[cuda13\]'"):
        devices.check_device("cuda")
    with pytest.raises(RuntimeError, match="'cuda:0'"):
        devices.check_device("cuda:0")


def test_without_a_gpu(monkeypatch):
    cupy_stand_in.install(monkeypatch, devices=0)
    assert devices.device_names("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match="driver"):
        devices.check_device("cuda")


def test_a_library_that_is_missing_is_named(monkeypatch):
    cupy_stand_in.install(monkeypatch)
    monkeypatch.setitem(sys.modules, "cupy_backends.cuda.libs.cublas", None)
    with pytest.warns(RuntimeWarning, match=r"can't load a library of CUDA.*`ctk`.*uses the CPU"):
        assert devices.device_names("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match="can't load a library"):
        devices.check_device("cuda")


def test_an_old_gpu_is_not_used(monkeypatch):
    cupy_stand_in.install(monkeypatch)
    monkeypatch.setattr(cupy_stand_in.Device, "compute_capability", "61")
    assert devices.device_names("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match=r"7\.5 or newer"):
        devices.check_device("cuda")


def test_a_forked_process_uses_no_gpu_that_was_used_before(monkeypatch):
    cupy_stand_in.install(monkeypatch)
    devices.forget_devices(forked=True)
    assert devices.device_names("auto") == ["cuda:0"], "CUDA had not been used"
    for _ in range(2):
        devices.forget_devices(forked=True)
        assert devices.device_names("auto") == ["cpu"]
        with pytest.raises(RuntimeError, match=r"forked.*spawn"):
            devices.check_device("cuda")


def test_a_broken_cupy_is_named_once(monkeypatch):
    def broken(name):
        raise ImportError("libcublas.so.13: cannot open shared object file")

    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(devices.importlib, "import_module", broken)
    with pytest.warns(RuntimeWarning, match=r"libcublas.*uses the CPU"):
        assert devices.device_names("auto") == ["cpu"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert devices.device_names("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match="libcublas"):
        devices.check_device("cuda")
