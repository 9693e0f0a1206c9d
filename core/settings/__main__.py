"""`python -m core.settings` prints `.env.example`."""

import sys

from core.connectors import CONNECTORS
from core.interfaces import declared
from core.settings.example import example

sys.stdout.write(example(CONNECTORS, declared()))
