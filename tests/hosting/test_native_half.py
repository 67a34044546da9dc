"""Audio never passes unprocessed: native code refuses the native half of an effect."""

import gc
import re
import time

import numpy as np
import pedalboard
import pedalboard_native
import pytest
from pedalboard import Chain, Gain, Pedalboard, Plugin, PluginContainer
from support.fresh_interpreter import run_python
from support.hosting_effects import (
    RATE,
    STEREO,
    TWICE,
    Reverse,
    containers_with_an_effect,
    pedalboard_attributes,
    reverse,
)

from audiostyle_fx.errors import HostingError
from audiostyle_fx.hosting import install, native, uninstall


@pytest.mark.parametrize("samples", [0, 1, 2, 100, 20000])
def test_native_half_can_not_be_run(samples):
    audio = np.zeros((2, samples), np.float32) if samples != 2 else np.zeros(2, np.float32)
    for plugin in containers_with_an_effect():
        for run in (Plugin.process, Plugin.__call__):
            for reset in (True, False):
                with pytest.raises(RuntimeError, match=TWICE):
                    run(plugin, audio, RATE, reset=reset)
        with pytest.raises(RuntimeError, match=TWICE):
            pedalboard_native.process(audio, RATE, [Gain(), plugin])


def test_effect_is_not_taken_for_an_empty_list_of_plugins():
    for run in (pedalboard.process, pedalboard_native.process):
        with pytest.raises(TypeError):
            run(STEREO, RATE, Reverse())


def test_native_half_is_silent_where_native_code_does_not_look_for_duplicates():
    effect = Reverse()
    assert PluginContainer.__len__(effect) == 2
    first, second = (PluginContainer.__getitem__(effect, index) for index in range(2))
    assert first is second
    assert not Chain([first])(STEREO, RATE).any()


def test_board_raises_while_uninstalled(uninstalled):
    for plugin in containers_with_an_effect()[1:]:
        gc.collect()
        with pytest.raises(RuntimeError, match=TWICE):
            plugin(STEREO, RATE)
        with pytest.raises(RuntimeError, match=TWICE):
            pedalboard.process(STEREO, RATE, [plugin])
    np.testing.assert_array_equal(Reverse()(STEREO, RATE), reverse(STEREO))  # by itself it needs no hooks


def test_lost_python_half_is_reported():
    uninstall()
    board = Pedalboard([Gain(), Chain([Reverse()])])
    gc.collect()
    install()
    for run in (board, board.process, Pedalboard([Reverse(), board])):
        with pytest.raises(RuntimeError, match="lost its Python half"):
            run(STEREO, RATE)
    with pytest.raises(RuntimeError, match=TWICE):
        pedalboard.process(STEREO, RATE, [board])
    board[1][0] = Reverse()
    gc.collect()
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(Gain()(STEREO, RATE)))


def test_names_and_boards_from_before_the_import():
    """Functions captured earlier raise, boards made earlier can be filled, and `uninstall` brings the natives back."""
    run_python(
        """
        import gc
        import numpy as np
        import pedalboard
        from pedalboard import Chain, Gain, Mix, Pedalboard, PluginContainer, process
        run, call, append, construct = Pedalboard.process, Pedalboard.__call__, Pedalboard.append, Chain.__init__
        early = Pedalboard([])
        bound = early.process
        filled = Pedalboard([Mix([Gain(0), Gain(0)])])
        chains = Pedalboard([Chain([Gain(0)]), Chain([Gain(0)])])
        from audiostyle_fx import OfflineEffect, uninstall
        assert Chain.__init__ is not construct

        class Reverse(OfflineEffect):
            def render(self, audio, sample_rate):
                return audio[:, ::-1]

        audio = np.arange(200, dtype=np.float32).reshape(2, 100)
        early.append(Reverse())
        alive = Reverse()
        referenced = Pedalboard([])
        append(referenced, alive)
        board = Pedalboard([Reverse()])
        lost = Pedalboard([])
        append(lost, Reverse())
        gc.collect()
        raised = []
        for attempt in (
            lambda: process(audio, 44100, [board]),
            lambda: process(audio, 44100, [Reverse()]),
            lambda: run(board, audio, 44100),
            lambda: call(board, audio, 44100),
            lambda: bound(audio, 44100),
            lambda: lost(audio, 44100),
            lambda: pedalboard.process(audio, 44100, [lost]),
        ):
            try:
                attempt()
            except RuntimeError as error:
                raised.append("same plugin instance" in str(error) or "lost its Python half" in str(error))
        assert raised == [True] * 7, raised
        assert np.array_equal(board(audio, 44100), audio[:, ::-1])
        assert np.array_equal(early(audio, 44100), audio[:, ::-1])
        assert np.array_equal(referenced(audio, 44100), audio[:, ::-1])
        assert np.array_equal(pedalboard.process(audio, 44100, [Reverse()]), audio[:, ::-1])

        filled[0][1] = Reverse()
        gc.collect()
        assert np.array_equal(filled(audio, 44100), audio + audio[:, ::-1])
        for container in chains:
            container.append(Reverse())
            del container[0]
        del container
        gc.collect()
        assert np.array_equal(chains(audio, 44100), audio)

        uninstall()
        assert Chain.__init__ is construct and "process" not in vars(PluginContainer)
        print("ok")
        """
    )


def test_native_code_is_tested_within_a_millisecond():
    times = []
    for _ in range(10):
        start = time.perf_counter()
        native.check_refusal()
        times.append(time.perf_counter() - start)
    assert min(times) < 1e-3


PASSES_AUDIO = {
    "process_plugin": lambda plugin, audio, sample_rate: audio,
    "process_list": lambda audio, sample_rate, plugins: audio,
}


@pytest.mark.parametrize("function", PASSES_AUDIO)
def test_install_refuses_a_pedalboard_that_runs_the_native_half(uninstalled, monkeypatch, function):
    before = pedalboard_attributes()
    monkeypatch.setattr(native, function, PASSES_AUDIO[function])
    version = re.escape(pedalboard.__version__)
    with pytest.raises(
        HostingError,
        match=rf"pedalboard {version} runs a container .* pip install 'pedalboard<{version}'",
    ):
        install()
    assert pedalboard_attributes() == before
    monkeypatch.undo()
    install()


def test_install_does_not_take_another_error_for_the_refusal(uninstalled, monkeypatch):
    def fail(*args):
        raise RuntimeError("no memory")

    monkeypatch.setattr(native, "process_plugin", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        install()


def test_import_refuses_a_pedalboard_that_runs_the_native_half():
    run_python(
        """
        import pedalboard

        pedalboard.Plugin.process = lambda plugin, audio, sample_rate: audio
        native = {**vars(pedalboard.PluginContainer)}
        try:
            import audiostyle_fx
        except RuntimeError as error:
            assert type(error).__name__ == "HostingError"
            assert f"pedalboard {pedalboard.__version__} runs a container that holds the same" in str(error)
        else:
            raise AssertionError("the import must fail")
        assert vars(pedalboard.PluginContainer) == native
        print("ok")
        """
    )
