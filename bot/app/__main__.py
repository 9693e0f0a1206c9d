"""`python -m bot.app` is `levqor-bot`."""

import sys

from bot.app import main

sys.exit(main())
