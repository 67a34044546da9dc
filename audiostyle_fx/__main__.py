"""``python -m audiostyle_fx`` is the command ``audiostyle``."""

import sys

from .cli import main

sys.exit(main())
