"""`install` makes exactly the changes in its table, only once, and `uninstall` undoes them."""

import gc
import importlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pedalboard
import pedalboard_native
import pytest
from pedalboard import Chain, Gain, Pedalboard, Plugin
from support.fresh_interpreter import run_python
from support.hosting_effects import RATE, STEREO, Reverse, pedalboard_attributes, reverse

from audiostyle_fx import hosting
from audiostyle_fx.hosting import OfflineEffect, install, installation, uninstall
from audiostyle_fx.hosting.changes import CHANGES, Change


def test_install_changes_the_table_and_nothing_else_and_uninstall_takes_it_back(uninstalled):
    before = pedalboard_attributes()
    install()
    after = pedalboard_attributes()
    changed = {place for place in before | after if before.get(place) is not after.get(place)}
    assert changed == {(change.owner, change.name) for change in CHANGES}
    assert all(change.reason for change in CHANGES)
    assert Pedalboard.process.__doc__ == Plugin.process.__doc__
    install()
    assert all(pedalboard_attributes()[place] is value for place, value in after.items())
    uninstall()
    uninstall()
    again = pedalboard_attributes()
    assert again.keys() == before.keys() and all(again[place] is value for place, value in before.items())


def test_uninstall_leaves_what_others_have_changed_since(uninstalled, monkeypatch):
    install()
    ours = pedalboard.process

    def theirs(*args, **kwargs):
        return ours(*args, **kwargs)

    pedalboard.process = theirs
    try:
        uninstall()
        assert pedalboard.process is theirs
        np.testing.assert_array_equal(pedalboard.process(STEREO, RATE, [Reverse()]), reverse(STEREO))
    finally:
        pedalboard.process = pedalboard_native.process


def test_package_can_be_loaded_again():
    board = Pedalboard([Reverse()])
    assert importlib.reload(hosting).OfflineEffect is OfflineEffect
    hosting.install()
    gc.collect()
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO))


def test_its_modules_can_be_loaded_again():
    run_python(
        """
        import importlib
        import numpy as np
        import pedalboard
        from audiostyle_fx import hosting
        natives = {name: getattr(method, "__wrapped__") for name, method in vars(pedalboard.PluginContainer).items()
                   if hasattr(method, "__wrapped__")}
        first = pedalboard.Pedalboard([hosting.OfflineEffect()])
        effect_class = hosting.OfflineEffect
        upward = (
            "native", "plugin_notes", "hosted_effect", "contents", "layout", "chunk_buffers", "runner",
            "offline_effect", "live_streams", "replacements", "changes", "installation",
        )
        for name in upward:
            importlib.reload(getattr(hosting, name))
        importlib.reload(hosting)
        assert hosting.OfflineEffect is not effect_class
        hosting.install()

        class Reverse(hosting.OfflineEffect):
            def render(self, audio, sample_rate):
                return audio[:, ::-1]

        audio = np.arange(200, dtype=np.float32).reshape(2, 100)
        assert np.array_equal(pedalboard.Pedalboard([Reverse()])(audio, 44100), audio[:, ::-1])
        try:
            first(audio, 44100)
        except RuntimeError as error:
            assert "same plugin instance" in str(error) or "Python half" in str(error)
        else:
            raise AssertionError("an effect of the modules as they were before must not pass audio")
        hosting.uninstall()
        container = pedalboard.PluginContainer
        assert "process" not in vars(container)
        assert all(getattr(container, name) is native for name, native in natives.items() if name in vars(container))
        print("ok")
        """
    )


def test_install_from_many_threads(uninstalled):
    before = pedalboard_attributes()
    barrier = threading.Barrier(8)

    def install_together(_):
        barrier.wait(10)
        install()
        return pedalboard_attributes()

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(install_together, range(8))
    places = {(change.owner, change.name) for change in CHANGES}
    assert {place for place in first if first[place] is not before.get(place)} == places
    assert all(other == first for other in others)
    uninstall()
    assert pedalboard_attributes() == before


def test_install_is_all_or_nothing(uninstalled, monkeypatch):
    before = pedalboard_attributes()
    broken = Change(Chain, "no_such_name", lambda native: native, "fails")
    monkeypatch.setattr(installation, "CHANGES", [*CHANGES, broken])
    with pytest.raises(AttributeError):
        install()
    monkeypatch.undo()
    assert pedalboard_attributes() == before


def test_installing_again_revives_boards():
    board = Pedalboard([Reverse(), Gain(0)])
    uninstall()
    install()
    gc.collect()
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO))
