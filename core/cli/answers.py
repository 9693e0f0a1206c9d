"""The answers that a file gives to `levqor init`, as NAME=VALUE lines."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from core.cli.words import read_text
from core.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from typing import BinaryIO

    from core.settings import Settings


def read(file: BinaryIO, settings: Settings) -> dict[str, str]:
    """Setting to value; raises InvalidInput for what nobody would look at."""
    from dotenv.parser import parse_stream

    from core.contract import BYTE_ORDER_MARK, nearest

    faults: list[Fault] = []
    given: dict[str, str] = {}
    text = read_text(file, "--answers").replace(BYTE_ORDER_MARK, "")
    for line in parse_stream(io.StringIO(text)):
        if line.error:
            where = f"line {line.original.line} of --answers"
            faults.append(Fault(where, "must be NAME=value, the value in quotes if it holds a #"))
        elif line.key is None:
            continue
        elif line.key in given:
            faults.append(Fault(line.key, "is there twice"))
        elif settings.setting(line.key) is None:
            near = nearest(line.key, [each.name for each in settings.described()])
            hint = f"; did you mean {near}?" if near else ""
            faults.append(Fault(line.key, f"is no setting{hint}"))
        else:
            given[line.key] = line.value or ""
    if faults:
        raise InvalidInput(faults, message="Something in the answers is wrong; nothing was set up.")
    return given
