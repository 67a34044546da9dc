"""The completion scripts, run by the shells themselves where these are installed."""

import re
import shutil
import subprocess

import pytest

from audiostyle_fx._effects_chain.catalog import effects
from audiostyle_fx.cli import main
from audiostyle_fx.cli.completion import SHELLS
from audiostyle_fx.cli.options import Parser

OPTIONS = [option for option in Parser().takes_value if option not in ("-q", "-h")]
EFFECTS = [*effects()]

# What bash offers for a line that ends at the cursor; where it offers nothing, the shell completes files.
LINES = {
    "audiostyle ": [],
    "audiostyle so": [],
    "audiostyle song.wav ": [],
    "audiostyle song.wav out.wav ": EFFECTS,
    "audiostyle song.wav out.wav re": ["resample", "reverb"],
    "audiostyle -q song.wav out.wav re": ["resample", "reverb"],
    "audiostyle --start 3 song.wav re": [],
    "audiostyle --start=3 song.wav out.wav re": ["resample", "reverb"],
    "audiostyle -n out.wav st": ["style"],
    "audiostyle - - st": ["style"],
    "audiostyle song.wav out.wav style ": [],
    "audiostyle song.wav out.wav style se": [],
    "audiostyle song.wav out.wav style a.wav se": ["section_seconds=", "seed="],
    r"audiostyle song.wav out.wav style a\ song.wav se": ["section_seconds=", "seed="],
    "audiostyle song.wav out.wav style a.wav alpha=": [],
    "audiostyle song.wav out.wav style a.wav reverb al": [],
    "audiostyle song.wav out.wav gain -3 ga": ["gain_db=", "gain"],
    "audiostyle song.wav out.wav style a.wav preset=t": ["thorough", "texture"],
    "audiostyle song.wav out.wav style a.wav normalize=": ["true", "false"],
    "audiostyle song.wav out.wav ladder_filter mode=B": ["BPF12", "BPF24"],
    "audiostyle song.wav out.wav ladder_filter mode=": ["LPF12", "HPF12", "BPF12", "LPF24", "HPF24", "BPF24"],
    "audiostyle song.wav out.wav style a.wav device=": ["auto", "cpu", "cuda", "cuda:1"],
    "audiostyle song.wav out.wav style a.wav optimizer=": ["auto", "adam", "lbfgs"],
    "audiostyle song.wav out.wav style a.wav precision=t": ["tf32"],
    "audiostyle song.wav out.wav style a.wav key=": ["content", "style"],
    "audiostyle song.wav out.wav convolution ": [],
    "audiostyle song.wav other.wav new": [],
    "audiostyle song.wav other.wav third.wav out/ re": ["resample", "reverb"],
    "audiostyle song.wav other.wav third.wav out/ style a.wav pres": ["preset="],
    "audiostyle --report ": [],
    "audiostyle in out --format fla": ["flac"],
    "audiostyle in out --bits ": ["16", "24", "32", "float"],
    "audiostyle in out --format=fla": ["flac"],
    "audiostyle in out --dask ": ["local"],
    "audiostyle --ver": ["--verbose", "--version"],
    "audiostyle in out --set ": [],
    "audiostyle in out --set drums* pres": ["preset="],
    "audiostyle --set drums* alpha=0.1 pres": ["preset="],
    "audiostyle in out --set drums* alpha=0.1 preset=te": ["texture"],
    "audiostyle in out --set drums* alpha=0.1 re": ["resample", "reverb"],
    "audiostyle --set drums* alpha=0.1 in re": [],
    "audiostyle in out --set drums* alpha=0.1 gain ga": ["gain_db=", "gain"],
    "audiostyle in out -q --set drums* preset=bold -q re": ["resample", "reverb"],
    "audiostyle --s": ["--start", "--set", "--stems"],
    "audiostyle song.wav out.wav --q": ["--quality", "--quiet"],
    "audiostyle --completion ": list(SHELLS),
    "audiostyle help rev": ["reverb"],
    "audiostyle help pre": ["presets"],
}


def printed(shell, capsys):
    assert main(["--completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_offers_what_may_follow(capsys):
    tries = "\n".join(
        f"COMP_LINE='{line}' COMP_POINT={len(line)} COMPREPLY=(); _audiostyle; echo \"${{COMPREPLY[*]}}\""
        for line in LINES
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{printed('bash', capsys)}\n{tries}"], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert dict(zip(LINES, map(str.split, done.stdout.splitlines()), strict=True)) == LINES


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_offers_what_may_follow(capsys):
    lines = [line for line, offered in LINES.items() if offered and "=" not in line and not line.endswith(" ")]
    tries = "\n".join(f"echo (complete -C '{line}')" for line in lines)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"{printed('fish', capsys)}\n{tries}"], capture_output=True, text=True, timeout=60
    )
    for line, offered in zip(lines, done.stdout.splitlines(), strict=True):
        assert set(LINES[line]) <= set(offered.split())


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_hold_every_word_and_parse(shell, capsys):
    text = printed(shell, capsys)
    assert not re.search(r"@[A-Z]+@", text), "everything is filled in"
    for effect in effects().values():
        assert effect.name in text and all(f"{name}=" in text for name in effect.parameters)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True, timeout=60)


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_know_every_option(shell, capsys):
    text = printed(shell, capsys)
    for option in OPTIONS:
        assert option in text or f"-l {option[2:]}" in text or f"-s {option[1:]}" in text
