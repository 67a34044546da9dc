"""Only the folder of the command contains words of the command line."""

import ast
import re
from pathlib import Path

import pytest

import audiostyle_fx
from audiostyle_fx.cli.options import Parser

PACKAGE = Path(audiostyle_fx.__file__).parent
LIBRARY = sorted(path for path in PACKAGE.rglob("*.py") if "cli" not in path.relative_to(PACKAGE).parts)
OPTION = re.compile(rf"(?<![\w-])({'|'.join(Parser().takes_value)})(?![\w-])")


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_texts_of_the_library_name_no_option(path):
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert not [text for text in texts if isinstance(text, str) and OPTION.search(text)]
