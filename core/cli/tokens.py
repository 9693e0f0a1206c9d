"""Tokens for HTTP: making, narrowing, rotating and revoking them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core import tokens
from core.callers import ADDRESSED_SURFACE
from core.cli import options
from core.cli.people import Plan
from core.cli.reports import ago
from core.errors import InvalidInput
from core.plain import counted
from core.reports import iso, without_none
from core.streams import NotPrinted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.cli.session import Session
    from core.ledger import Token
    from core.scopes import Scope

Label = Annotated[str, typer.Argument(metavar="LABEL", help="Its name in: levqor token list")]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="SCOPE",
        help="What it may do, with commas between: an action, ACTION@TARGET, '*' for every"
        " action, and what it may read: metrics, usage (everybody's), live (live checks), openapi,"
        " open (sign-in links).",
    ),
]
PerHour = Annotated[
    str | None,
    typer.Option("--per-hour", metavar="N", help="How many runs it may start in an hour."),
]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires", metavar="SPAN", help="How long it is valid: 90d, 12h; never has no end."
    ),
]


def new(
    ctx: typer.Context,
    label: Annotated[
        str,
        typer.Argument(
            metavar="LABEL", help="A name for the token: small letters, digits and dashes."
        ),
    ],
    only: Only = None,
    per_hour: PerHour = None,
    expires: Expires = None,
    plan: Annotated[
        Plan | None,
        typer.Option(
            "--plan", metavar="free|pro", help="The token's plan (default: LEVQOR_DEFAULT_PLAN)."
        ),
    ] = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="The token may read everything and see every run.")
    ] = False,
    output: options.Output = None,
) -> None:
    """Make a token; it is shown only once. Without --only it sends, and reads its own runs."""
    session = options.session(ctx)
    token = session.ledger.token_new(
        label,
        plan=plan,
        admin=admin,
        scope=_scope(only),
        per_hour=tokens.rate(per_hour),
        expires=tokens.expiry(expires),
        by=str(session.caller),
    )
    caller = f"{ADDRESSED_SURFACE}:{label}"
    made, problem = _named(session, label), tokens.why_it_may_not_send(session.ledger, label)

    def draw() -> None:
        session.out.line(token)
        session.out.note(
            f"Keep it now: it is not shown again. It {tokens.may(made)}, as {caller} on the "
            f"{made.plan} plan. It works only with a levqor-bot that uses this home."
        )
        if problem:
            session.out.note(problem)

    more = {**_body(made), "token": token}
    with _shown_once(label):
        session.answer({name: more[name] for name in _MADE if name in more}, draw)


def list_all(ctx: typer.Context, output: options.Output = None) -> None:
    """List tokens and what each may do (the secrets are not shown)."""
    session = options.reading(ctx)
    kept, now = session.ledger.tokens(), session.ledger.now()
    wide = [token.label for token in kept if tokens.wide(token, now)]

    def draw() -> None:
        session.out.table(
            ("label", "may", "an hour", "plan", "valid", "last used", "made"),
            [
                (
                    token.label,
                    tokens.may(token),
                    str(token.per_hour or ""),
                    token.plan,
                    tokens.validity(token, now),
                    ago(token.used_at),
                    ago(token.created_at),
                )
                for token in kept
            ],
            empty="There are no tokens. Make one: levqor token new LABEL",
            drop=("made", "plan", "an hour", "last used", "valid"),
            folds="may",
            styles=lambda row: "dim" if tokens.ended(kept[row], now) else "",
        )
        for label in wide:
            session.out.note(tokens.why_wide(label))

    session.answer({"tokens": [_body(token, now) for token in kept]}, draw)


def change(
    ctx: typer.Context,
    label: Label,
    only: Only = None,
    per_hour: Annotated[
        str | None,
        typer.Option(
            "--per-hour", metavar="N", help="How many runs it may start in an hour; none: no limit."
        ),
    ] = None,
    expires: Expires = None,
    output: options.Output = None,
) -> None:
    """Change what a token may do; its secret stays the same."""
    session = options.session(ctx)
    changes: dict[str, Any] = {}
    if only is not None:
        changes["scope"] = _scope(only)
    if per_hour is not None:
        changes["per_hour"] = tokens.rate(per_hour)
    if expires is not None:
        changes["expires"] = tokens.expiry(expires)
    if not changes:
        raise InvalidInput(
            message="Nothing was changed.", fix="Give --only, --per-hour or --expires."
        )
    session.ledger.token_set(label, by=str(session.caller), **changes)
    token = _named(session, label)
    rate = f" It may start {counted(token.per_hour, 'run')} an hour." if token.per_hour else ""
    until = f" It is valid until {iso(token.expires_at)}." if token.expires_at else ""
    session.answer(_body(token), f"The token {label} {tokens.may(token)}.{rate}{until}")


def rotate(
    ctx: typer.Context,
    label: Label,
    overlap: Annotated[
        str,
        typer.Option(
            "--overlap",
            metavar="SPAN",
            help="How long the old secret still works (default: 10m; 0 ends it at once).",
        ),
    ] = "10m",
    output: options.Output = None,
) -> None:
    """Give a token a new secret, shown only once; the old one works for a while."""
    session = options.session(ctx)
    seconds = tokens.overlap(overlap)
    token = session.ledger.token_rotate(label, overlap=seconds, by=str(session.caller))
    made = _named(session, label)

    def draw() -> None:
        session.out.line(token)
        old = f"works until {iso(made.old_until)}" if seconds else "does not work any more"
        session.out.note(f"Keep it now: it is not shown again. The old one {old}.")
        if made.expires_at is not None and made.expires_at <= session.ledger.now():
            session.out.note(
                f"It has expired. To make it valid: levqor token set {label} --expires 90d"
            )

    body = {"token": token, "label": label, "old_until": iso(made.old_until)}
    with _shown_once(label):
        session.answer(body, draw)


@contextmanager
def _shown_once(label: str) -> Iterator[None]:
    """Say how to see a secret that could not be printed: the token is made."""
    try:
        yield
    except NotPrinted as lost:
        raise lost.replace(
            fix="The token has a new secret, which nobody has seen. Send the output elsewhere, and"
            f" run: levqor token rotate {label} --overlap 0"
        ) from None


def revoke(ctx: typer.Context, label: Label, output: options.Output = None) -> None:
    """Revoke a token; it stops working at once."""
    session = options.session(ctx)
    session.ledger.token_revoke(label, by=str(session.caller))
    text = f"The token {label} is not valid any more."
    session.answer({"label": label, "revoked": True}, text)


_MADE = ("token", "label", "plan", "scope", "per_hour", "expires_at")


def _body(token: Token, now: float | None = None) -> dict[str, Any]:
    """A token as JSON: what it may do, never what it is."""
    return without_none({
        "label": token.label,
        "plan": token.plan,
        "admin": token.admin,
        "scope": token.scope,
        "per_hour": token.per_hour,
        "created_at": iso(token.created_at),
        "used_at": iso(token.used_at),
        "expires_at": iso(token.expires_at),
        "old_until": iso(token.old_until),
        "revoked_at": iso(token.revoked_at),
        "expired": tokens.expired(token, now) if now is not None else None,
        "wide": tokens.wide(token, now) if now is not None else None,
    })  # fmt: skip


def _named(session: Session, label: str) -> Token:
    return next(each for each in session.ledger.tokens() if each.label == label)


def _scope(only: str | None) -> Scope | None:
    """What --only allows; raises InvalidInput with the nearest word."""
    from core.scopes import Scope

    if only is None:
        return None
    return Scope.parse(only, [connector.action_id(each) for connector, each in options.actions()])
