"""``python -m memrepo`` is the command ``memrepo``."""

from __future__ import annotations

import sys

from memrepo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
