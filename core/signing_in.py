"""The link that signs somebody in to the web console."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core.console_address import console_address
from core.errors import Fault, InvalidInput, NotConfigured
from core.health import inbounds

if TYPE_CHECKING:
    from core.callers import Caller
    from core.ledger import Ledger
    from core.settings import Settings

# The console's first page, and the shape of all others. A link may lead on to one: nothing in it
# can name another host, end a header or climb out of the console.
OVERVIEW = "/"
PAGE = re.compile(r"/|(?:/[A-Za-z0-9][A-Za-z0-9._:-]{0,99}){1,4}")


def sign_in_link(
    settings: Settings, ledger: Ledger, caller: Caller, page: str = OVERVIEW
) -> tuple[str, float]:
    """Make a link that signs a caller in to the web console: (link, when it expires).

    It leads on to a page. The time is in seconds since 1970. Raises NotConfigured where no bot
    shows the console, and InvalidInput for what can be no page of it.
    """
    if not PAGE.fullmatch(page):
        raise InvalidInput([Fault("page", "must be a page of the console, for example /runs")])
    address = console_address(settings, inbounds(ledger))
    if address is None:
        raise NotConfigured(
            "No bot shows the web console now.",
            fix="Start one with: levqor-bot (without --no-http)",
        )
    code, expires = ledger.sign_in_code(str(caller))
    on = "" if page == OVERVIEW else "?" + urlencode({"to": page}, safe="/:")
    return f"{address}/sign-in/{code}{on}", expires
