"""A folder on GPUs: several files at once, in threads or other processes, whose sections the GPUs style together."""

import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from support.processes import wait_for
from support.styled_folders import made_of, read, statuses

from audiostyle_fx import style_folder
from audiostyle_fx._effects_chain.catalog import effects
from audiostyle_fx._effects_chain.step import Step
from audiostyle_fx._engine.cuda import device_threads
from audiostyle_fx._transfer.whole_recordings import prepared_sections, recording_transfer
from audiostyle_fx.errors import TransferError
from audiostyle_fx.folders import one_file
from audiostyle_fx.folders.find import Selection
from audiostyle_fx.folders.run import run_folder
from audiostyle_fx.folders.workers import Workers

NAMES = [f"{number}.wav" for number in range(6)]


@pytest.fixture
def files(stem):
    for number, name in enumerate(NAMES):
        stem(name, 0.3 + 0.1 * number, shift=100 * number)


@pytest.fixture
def batches(monkeypatch):
    """The number of sections of each batch; the first of a GPU waits until the others can be combined."""
    sizes, all_prepared = [], threading.Semaphore(0)
    original, input_of = prepared_sections.three_stages, recording_transfer.section_input

    def three_stages(batch, *args):
        if not sizes and threading.current_thread() is not threading.main_thread():
            for _ in NAMES:
                assert all_prepared.acquire(timeout=60)
        sizes.append(len(batch.contents))
        return original(batch, *args)

    def section_input(*args):
        all_prepared.release()
        return input_of(*args)

    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)
    monkeypatch.setattr(recording_transfer, "section_input", section_input)
    return sizes


@pytest.mark.parametrize("device", ["cuda", pytest.param("cuda:0", marks=pytest.mark.slow)])
def test_the_files_are_styled_together(cupy, files, run, batches, device):
    assert run("on the CPU", device="cpu").failed == {} and batches == [1] * 6
    batches.clear()
    assert run(device=device, key="content").failed == {}
    assert sum(batches) == 6 and len(batches) <= 4, batches
    for name in NAMES:
        want, got = read(f"on the CPU/{name}"), read(f"out/{name}")
        np.testing.assert_allclose(got, want, rtol=0, atol=2e-3 * np.abs(want).max())


@pytest.mark.slow
def test_stages_of_all_files_are_reported(cupy, files, run, events):
    run(device="cuda:0", progress=events.append)
    staged = {event.file for event in events if event.kind == "stage"}
    assert staged == set(NAMES) == set(made_of(events))
    assert (events[0].kind, events[-1].kind) == ("start", "end")


def test_a_file_that_fails_fails_alone(cupy, files, run, batches, monkeypatch):
    original, failing = prepared_sections.three_stages, read("in/3.wav")

    def three_stages(batch, *args):
        styled = original(batch, *args)
        for content, samples in zip(batch.contents, styled.samples, strict=True):
            if np.corrcoef(content[0], failing)[0, 1] > 0.99:
                samples[0, 7] = np.nan
        return styled

    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)
    Path("in/5.wav").write_bytes(b"RIFF")
    Path("in/6.wav").write_bytes(Path("in/4.wav").read_bytes())
    result = run(device="cuda:0")
    assert set(result.failed) == {"3.wav", "5.wav"} and "not finite" in result.failed["3.wav"]
    assert len(batches) <= 3


@pytest.fixture
def warn(monkeypatch):
    """A function that makes each file warn: with a text for all, and with its own name."""
    original = one_file.run

    def warns(job, chain, progress):
        warnings.warn("the same for all", stacklevel=2)
        warnings.warn(f"of {Path(job.source).name}", stacklevel=2)
        return original(job, chain, progress)

    monkeypatch.setattr(one_file, "run", warns)


def test_each_file_has_its_own_warnings(cupy, files, quick, warn):
    before = warnings.showwarning, warnings.filters[:]
    with pytest.warns(UserWarning, match=r"^\d\.wav: ") as shown:
        result = style_folder("in", "out", "style.wav", **quick, device="cuda:0")
    assert (warnings.showwarning, warnings.filters[:]) == before
    for name in NAMES:
        assert result.files[name]["warnings"][:2] == ["the same for all", f"of {name}"]
    texts = [str(warning.message) for warning in shown]
    assert all(f"{name}: of {name}" in texts and f"{name}: the same for all" in texts for name in NAMES)


@pytest.mark.slow
def test_the_callers_filters_apply_to_what_is_shown(cupy, files, quick, warn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = style_folder("in", "out", "style.wav", **quick, device="cuda:0")
    assert "the same for all" in result.files["0.wav"]["warnings"]
    with pytest.raises(UserWarning, match="the same for all"):
        style_folder("in", "out", "style.wav", **quick, device="cuda:0", force=True)


def test_an_error_of_the_callers_function_ends_the_run(cupy, files, run):
    def fail(event):
        if event.kind == "stage":
            raise ArithmeticError("no stages, please")

    with pytest.raises(ArithmeticError, match="no stages, please"):
        run(device="cuda:0", progress=fail)
    assert not any(thread.name.startswith("audiostyle_fx file") for thread in threading.enumerate())
    assert run(device="cuda:0").failed == {} and set(statuses().values()) == {"done"}


@pytest.mark.slow
def test_an_interrupt_ends_the_run_and_the_next_resumes_it(cupy, files, run, events):
    def interrupt(event):
        if event.kind == "file":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(device="cuda:0", independent=True, progress=interrupt)
    assert not any(thread.name.startswith("audiostyle_fx file") for thread in threading.enumerate())
    done = [name for name, status in statuses().items() if status == "done"]
    result = run(device="cuda:0", independent=True, progress=events.append)
    assert result.failed == {} and result.skipped == len(done) >= 1
    assert set(made_of(events)) == set(NAMES) - set(done)


# ---------------------------------------------------------------- processes
@pytest.fixture
def styled(monkeypatch):
    """The process of each batch and its sections: the GPU is this process's."""
    found, original = [], prepared_sections.three_stages

    def three_stages(batch, *args):
        found.append((threading.current_thread().name, len(batch.contents)))
        return original(batch, *args)

    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)
    return found


def test_this_process_computes_for_others(cupy, files, run, styled, monkeypatch):
    """The first batch waits until those of the other processes can be combined."""
    queue, original = device_threads.device_queue("cuda:0"), prepared_sections.three_stages

    def three_stages(*args):
        if not styled:
            wait_for(lambda: len(queue) >= 3)
        return original(*args)

    assert run("on the CPU", device="cpu").failed == {}
    styled.clear()
    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)
    assert run(device="cuda:0", jobs=3).failed == {}
    assert sum(size for _, size in styled) == len(NAMES) and max(size for _, size in styled) > 1, styled
    assert all(name.startswith("audiostyle_fx cuda:0") for name, _ in styled)
    for name in NAMES:
        want, got = read(f"on the CPU/{name}"), read(f"out/{name}")
        np.testing.assert_allclose(got, want, rtol=0, atol=2e-3 * np.abs(want).max())


@pytest.mark.slow
def test_a_short_memory_is_in_the_record_of_each_file(cupy, files, run, monkeypatch):
    original, queue = prepared_sections.three_stages, device_threads.device_queue("cuda:0")
    first = []

    def three_stages(batch, *args):
        if not first:
            first.append(batch)
            wait_for(lambda: len(queue) >= 3)
        if len(batch.contents) > 1:
            raise MemoryError("the pool is full")
        return original(batch, *args)

    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*ran out of memory", UserWarning)
        result = run(device="cuda:0", jobs=3)
    assert result.failed == {}
    short = [name for name in NAMES if any("ran out" in text for text in result.files[name].get("warnings", []))]
    assert len(short) >= 2


@pytest.mark.slow
def test_each_style_of_a_chain_has_its_device(cupy, files, styled, quick):
    style = effects()["style"]
    values = {
        **{name: [value] if name == "windows" else value for name, value in quick.items()},
        "style": ["style.wav"],
    }
    chain = [Step(style, {**values, "device": "cuda:0"}), Step(style, {**values, "device": "cuda:1"})]
    result = run_folder("in", "out", chain, Selection(), workers=Workers(jobs=2))
    assert result.failed == {}
    assert {name.split()[1].split("_")[0] for name, _ in styled} == {"cuda:0", "cuda:1"}


@pytest.mark.slow
def test_errors_of_the_gpu_reach_the_file(cupy, files, run, monkeypatch):
    def fails(batch, *args):
        raise TransferError("not finite") if len(batch.contents) % 2 else MemoryError("the pool is full")

    monkeypatch.setattr(prepared_sections, "three_stages", fails)
    assert set(run(device="cuda:0", jobs=2).failed.values()) == {"not finite"}
    monkeypatch.setattr(prepared_sections, "three_stages", lambda *_: (_ for _ in ()).throw(MemoryError("it is full")))
    (error,) = set(run(device="cuda:0", jobs=2).failed.values())
    assert error.startswith("cuda:0 has too little memory for one recording")


@pytest.mark.slow
def test_a_process_that_is_killed_at_its_time_limit_leaves_the_gpu_to_the_others(cupy, files, run, styled, monkeypatch):
    original, slow = prepared_sections.three_stages, threading.Event()

    def three_stages(*args):
        if not slow.is_set():
            slow.set()
            time.sleep(8)
        return original(*args)

    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)
    result = run(device="cuda:0", time_limit=6)
    assert list(result.failed.values()) == ["it took longer than the time limit of 6 s"]
    assert len(result.files) == len(NAMES)
