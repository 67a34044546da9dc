"""Live streams refuse offline effects."""

import pedalboard
import pedalboard.io
import pytest
from pedalboard import Gain, Pedalboard
from support.fresh_interpreter import run_python
from support.hosting_effects import containers_with_an_effect

from audiostyle_fx.hosting import uninstall


@pytest.mark.skipif(not hasattr(getattr(pedalboard.io, "AudioStream", None), "plugins"), reason="no audio devices")
def test_live_stream_is_refused():
    stream_type = pedalboard.io.AudioStream
    for board in containers_with_an_effect():
        for arguments in ({"plugins": board}, {"output_device_name": "x", "plugins": board}):
            with pytest.raises(TypeError, match="live AudioStream"):
                stream_type(**arguments)
        with pytest.raises(TypeError, match="live AudioStream"):
            stream_type(None, "x", board)
        with pytest.raises(TypeError, match="live AudioStream"):
            stream_type.plugins.fset(object(), board)
    hooked = failure_to_open()
    uninstall()
    assert failure_to_open() == hooked


def test_effect_can_not_be_put_where_a_stream_plays():
    """A class replaces the stream, because a real stream needs an audio device."""
    run_python(
        """
        import pedalboard.io
        from pedalboard import Chain, Gain, Mix, Pedalboard

        class AudioStream:
            def __init__(self, plugins=None):
                self.board = plugins

            plugins = property(lambda self: self.board, lambda self, plugins: setattr(self, "board", plugins))

        pedalboard.io.AudioStream = AudioStream
        from audiostyle_fx import OfflineEffect

        def refuses(put):
            try:
                put()
            except TypeError as error:
                return "live AudioStream" in str(error)

        inner, outside = Mix([Gain(0)]), Pedalboard([])
        board, other = Pedalboard([Gain(0), Chain([inner])]), Pedalboard([])
        stream = AudioStream(board)
        assert refuses(lambda: board.append(OfflineEffect()))
        assert refuses(lambda: inner.insert(0, Chain([OfflineEffect()])))
        assert refuses(lambda: inner.__setitem__(0, OfflineEffect()))
        assert len(board) == 2 and len(inner) == 1
        inner.append(Gain(1))
        outside.append(OfflineEffect())
        assert refuses(lambda: AudioStream(outside))
        assert refuses(lambda: setattr(stream, "plugins", outside))
        assert stream.plugins is board

        stream.plugins = other
        inner.append(OfflineEffect())
        assert refuses(lambda: other.append(OfflineEffect()))
        del stream
        other.append(OfflineEffect())
        print("ok")
        """
    )


def failure_to_open():
    try:
        pedalboard.io.AudioStream("no such device", "no such device", Pedalboard([Gain()]))
    except Exception as error:
        return type(error), str(error)
    raise AssertionError("opened a device that does not exist")
