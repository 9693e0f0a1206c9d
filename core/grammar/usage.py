"""How a command is written, in a line for those who read it."""

from collections.abc import Iterator

from core.contract import TARGET, Contract, FieldSpec

# How a mapping is written in a form, and round what the quotes go.
LINES = 'One name=value on each line, for example Status=Open or "Due by"=2026-12-01.'


def usage(command: str, contract: type[Contract]) -> str:
    """Show in one line how a command is written, what may be left out in brackets."""
    named, free = [], []
    for spec in contract.fields():
        needed = spec.required and spec.setting is None
        if spec.kind == "mapping":
            named.append('name=value "two words"="a value"…')
            if spec.takes_text:
                free.append(f"[{spec.text_name}]")
        elif spec.takes_text:
            free.append(spec.text_name if needed else f"[{spec.text_name}]")
        else:
            named.append(f"{spec.name}=…" if needed else f"[{spec.name}=…]")
    return " ".join([command, *named, *free])


def field_help(spec: FieldSpec) -> list[str]:
    """Describe a field: what it is for, then a line for each limit."""
    lines = [f"{spec.name}: {spec.help}"]
    if spec.max_length:
        lines.append(f"  At most {spec.max_length:,} {spec.unit}.")
    if spec.setting:
        lines.append(f"  If left out, {spec.setting} is used.")
    elif not spec.required:
        lines.append("  May be left out.")
    if spec.example is not None and spec.kind == "text":
        lines.append(f"  For example: {spec.example}")
    return lines


def column_hint(contract: type[Contract]) -> str:
    """Say how an entry of a free mapping is written whose name is the one for targets."""
    mapping = next((spec.name for spec in contract.fields() if spec.kind == "mapping"), None)
    if mapping is None:
        return ""
    return f'A column called {TARGET} is written {mapping}="{TARGET}=…", in JSON inside {mapping}.'


def quoting(contract: type[Contract]) -> Iterator[str]:
    """Say where quotes go, if a name or a value can need them."""
    fields = contract.fields()
    free = next((spec for spec in fields if spec.takes_text), None)
    if column := column_hint(contract):
        yield column
    if any(spec.kind == "mapping" for spec in fields):
        yield 'Names and values with spaces go in quotes: Status=Open "Due by"="1 December".'
    elif named := [spec.name for spec in fields if spec is not free]:
        yield f'A value with spaces goes in quotes: {named[0]}="…".'
    if free:
        name = free.text_name
        yield f'Text that begins with {{ or looks like name=value goes in {name}="…".'
