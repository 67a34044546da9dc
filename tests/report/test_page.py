"""The listening page as a document: assembled from its files, and safe for any text."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.listening_page import MARKUP, page_data

import audiostyle_fx
from audiostyle_fx.report import Entry, check_page, is_listening_page, write_report

FOLDER = Path(audiostyle_fx.__file__).with_name("report")


def test_the_page_asks_for_nothing_from_the_network(recording, tmp_path):
    write_report(tmp_path / "page.html", [Entry("one", recording("r.wav"))])
    text = (tmp_path / "page.html").read_text()
    assert set(re.findall(r"\w+://[^\"'\s]+", text)) == {"http://www.w3.org/2000/svg"}  # a name, which is not fetched
    assert set(re.findall(r"(?:src|href)=\"(.*?)\"", text)) == {"data:,"}  # style sheet and script are in the page


def test_the_page_is_its_files_in_one(tmp_path):
    write_report(tmp_path / "page.html", [])
    text = (tmp_path / "page.html").read_text()
    for name in ("page.css", "page.js"):
        assert text.count(f">\n{(FOLDER / name).read_text()}</") == 1
    shell = re.sub(r"<style>.*?</style>|<script>.*?</script>|(?<=id=\"data\">).*?(?=<)", "", text, flags=re.DOTALL)
    template = (FOLDER / "page.html").read_text()
    for reference in ('<link rel="stylesheet" href="page.css">', '<script src="page.js"></script>', "null"):
        assert template.count(reference) == 1
        template = template.replace(reference, "")
    assert shell == template


def test_a_page_is_known_by_its_beginning(tmp_path):
    write_report(tmp_path / "page.html", [], title="Songs")
    assert is_listening_page(tmp_path / "page.html")
    for text in ("", "<!doctype html><title>Songs</title>", "<title>Listening page</title>"):
        (tmp_path / "other.html").write_text(text)
        assert not is_listening_page(tmp_path / "other.html")


def test_the_script_has_no_syntax_error():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    checked = subprocess.run([node, "--check", FOLDER / "page.js"], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr


def test_text_stays_text(tmp_path):
    page, other = tmp_path / "page.html", tmp_path / "other.html"
    entry = Entry(MARKUP, None, chain="style </script>\u2028\udcff", parameters={"<i>": "</script>"}, error="<!--")
    write_report(page, [entry], title=MARKUP)
    write_report(other, [])
    assert page.read_text().count("<script") == other.read_text().count("<script") == 2
    assert page_data(page)["title"] == page_data(page)["entries"][0]["name"] == MARKUP
    assert page_data(page)["entries"][0]["parameters"] == {"<i>": "</script>"}


def test_a_page_may_be_empty(tmp_path):
    write_report(tmp_path / "page.html", [])
    assert page_data(tmp_path / "page.html")["entries"] == []


@pytest.mark.parametrize("name", ["nowhere/page.html", "."])
@pytest.mark.parametrize("function", [check_page, lambda page: write_report(page, [])])
def test_a_page_must_be_a_file_in_a_folder(tmp_path, name, function):
    with pytest.raises(ValueError, match="page="):
        function(tmp_path / name)


def test_a_check_leaves_nothing(tmp_path):
    check_page(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
