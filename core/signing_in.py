"""The link that signs somebody in to the web console."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core.console_address import console_address
from core.engine.access import verified
from core.errors import Fault, Forbidden, InvalidInput, NotConfigured
from core.health import inbounds
from core.linking import written
from core.reports import SignInLink, moment
from core.scopes import Read

if TYPE_CHECKING:
    from core.callers import Caller
    from core.ledger import Ledger, Standing
    from core.settings import Settings

# The console's first page, and the shape of all others. A link may lead on to one: nothing in it
# can name another host, end a header or climb out of the console.
OVERVIEW = "/"
PAGE = re.compile(r"/|(?:/[A-Za-z0-9][A-Za-z0-9._:-]{0,99}){1,4}")

# What ends every session, after `open`.
END = "end"
SIGNED_OUT = (
    "You are signed out of the web console in every browser, and no link that you were given "
    "works any more."
)


def sign_in_link(
    settings: Settings, ledger: Ledger, caller: Caller, page: str = OVERVIEW
) -> SignInLink:
    """Make a link that signs a caller in to the web console; it leads on to a page.

    Raises NotConfigured where no bot shows the console, and InvalidInput for what can be no page
    of it.
    """
    _check(page)
    address = console_address(settings, inbounds(ledger))
    if address is None:
        raise NotConfigured(
            "No bot shows the web console now.",
            fix="Start one with: levqor-bot (without --no-http)",
        )
    code, expires = ledger.sign_in_code(str(caller))
    return _link(address, code, page, caller, expires)


def was_used(settings: Settings, caller: Caller, at: float, browser: str) -> str:
    """Say that somebody's link was used, and what to do where it was by somebody else."""
    when = dt.datetime.fromtimestamp(at, dt.UTC)
    _, command = written(settings, caller.surface, f"open {END}")
    return (
        f"Your link to the web console was used on {when:%Y-%m-%d} at {when:%H:%M} UTC, with "
        f"{browser}.\nIf that was not you, write {command}: it ends every session of yours at once."
    )


def token_link(
    settings: Settings, ledger: Ledger, caller: Caller, origin: str, page: str = OVERVIEW
) -> SignInLink:
    """Make the same for a token, to the console that is seen at `origin`.

    Who uses it may do what the token may. Raises Unauthorized, Forbidden, InvalidInput.
    """
    _check(page)

    def gate(who: Standing) -> None:
        access = verified(settings, who, caller)
        if access.token is None:
            raise Forbidden(
                "Over HTTP only a token gets a link to the web console.",
                fix="On the machine itself write: levqor open. "
                f"Elsewhere use a token made with: levqor token new LABEL --only {Read.OPEN}",
                reason="token_needed",
            )
        access.require_read(Read.OPEN)
        if caller.credential is not None and not access.token.is_newest(caller.credential):
            # A link may outlive the secret that this one was replaced by.
            raise Forbidden(
                "This token was replaced by a newer one.", fix="Use the newer one.", reason="scope"
            )

    code, expires = ledger.sign_in_code(str(caller), gate)
    return _link(origin, code, page, caller, expires)


def _check(page: str) -> None:
    if not PAGE.fullmatch(page):
        raise InvalidInput([Fault("page", "must be a page of the console, for example /runs")])


def _link(address: str, code: str, page: str, caller: Caller, expires: float) -> SignInLink:
    on = "" if page == OVERVIEW else "?" + urlencode({"to": page}, safe="/:")
    return SignInLink(
        link=f"{address}/sign-in/{code}{on}", caller=str(caller), expires_at=moment(expires)
    )
