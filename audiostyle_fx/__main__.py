"""``python -m audiostyle_fx`` is the command ``audiostyle``."""

import sys

from .cli import main

if __name__ == "__main__":  # not in the processes of --jobs, which import it too
    sys.exit(main())
