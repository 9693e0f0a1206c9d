"""E-mail addresses: which one may be written, and the form in which it is sent.

A domain may hold any letters and travels in its `xn--` form (UTS 46, where faß.de stays its
own domain). Before the @ Resend takes what every mail server takes: no SMTPUTF8.
"""

import re
import unicodedata

import idna

# RFC 5321, with its erratum 1690.
LONGEST_ADDRESS = 254
LONGEST_LOCAL = 64

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}\.)+{_LABEL}"
_ATOM = r"[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+"
_LOCAL = rf"{_ATOM}(?:\.{_ATOM})*"
# Any letter a domain could have; which ones it has, no expression can say.
_LETTER = r"[^\x00-,/:-@\[-`{-\xa0\xad\u1680\u2000-\u206f\u3000\ufeff\ufff9-\uffff]"
ADDRESS_SHAPES = (
    rf"^{_LOCAL}@(?:{_DOMAIN}|{_LETTER}+[.\u3002\uff0e\uff61]{_LETTER}+)$",
    "^[^@]{1,64}@",
)

_PLAIN = re.compile(rf"{_LOCAL}@{_DOMAIN}", re.ASCII)
_PLAIN_DOMAIN = re.compile(_DOMAIN, re.ASCII)
_AT_SIGNS = "\N{FULLWIDTH COMMERCIAL AT}\N{SMALL COMMERCIAL AT}"
_ONE_ADDRESS = "must be one address and nothing else, like ann@example.com"
# Alphabets with letters that look like those of another.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


def checked_address(value: str) -> str:
    """Take one plain address; lists, names and the like would reach somebody else."""
    sent_form(value)
    return value


def sent_form(address: str) -> str:
    """Return the form in which an address is sent; raises ValueError where it has none."""
    local, at, domain = address.rpartition("@")
    if len(address) > LONGEST_ADDRESS or any(sign in address for sign in _AT_SIGNS):
        raise ValueError(f"{_ONE_ADDRESS}, with a plain @")
    if not at or " " in address or "@" in local or not 0 < len(local) <= LONGEST_LOCAL:
        raise ValueError(_ONE_ADDRESS)
    if not local.isascii():
        raise ValueError(
            "must have only plain letters (a to z), digits and signs before the @: Resend cannot"
            " send to others; ask for an address that has them"
        )
    sent = f"{local}@{sent_domain(domain)}"
    if len(sent) > LONGEST_ADDRESS or not _PLAIN.fullmatch(sent):
        raise ValueError(_ONE_ADDRESS)
    return sent


def sent_domain(domain: str) -> str:
    """Return a domain as the mail system writes it; raises ValueError."""
    sent = domain
    if not domain.isascii():
        for label in domain.split("."):
            _refuse_mixed(label)
        try:
            sent = idna.encode(domain, uts46=True, std3_rules=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise ValueError("has letters after the @ that no domain has: type it anew") from None
    if not _PLAIN_DOMAIN.fullmatch(sent):
        raise ValueError(_ONE_ADDRESS)
    return sent


def compared(entry: str) -> str:
    """The form in which addresses and `@domain`s are one or not; raises ValueError."""
    if entry.startswith("@"):
        return f"@{sent_domain(entry[1:])}".lower()
    return sent_form(entry).lower()


def sending_address(value: str) -> str:
    """Return `address` or `Name <address>` as it is sent; raises ValueError."""
    name, opened, rest = value.rpartition("<")
    address = rest.removesuffix(">") if opened else value
    whole = not opened or rest.endswith(">")
    # A quote that nothing closes would take the address into the name.
    unclosed = name.count('"') % 2
    if not whole or unclosed or re.search(r"[<>@\x00-\x1f\x7f-\x9f\u2028\u2029]", name):
        raise ValueError("must be like bot@example.com or Name <bot@example.com>")
    try:
        sent = sent_form(address)
    except ValueError as wrong:
        if not address.isascii():
            raise
        raise ValueError("must be like bot@example.com or Name <bot@example.com>") from wrong
    return f"{name}<{sent}>" if opened else sent


def _refuse_mixed(label: str) -> None:
    """Raise ValueError for a name that looks like another because two alphabets are mixed."""
    first = {unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha()}
    mixed = [script.capitalize() for script in _ALIKE if script in first]
    if len(mixed) > 1:
        raise ValueError(
            f"mixes {' and '.join(mixed)} letters after the @, which look alike: type it anew"
        )
