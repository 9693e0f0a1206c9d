"""`python -m core.cli`: the same as `levqor`."""

import sys

from core.cli import main

sys.exit(main())
