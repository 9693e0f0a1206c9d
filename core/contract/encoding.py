"""Bytes to text: UTF-8, with or without a byte order mark."""

from __future__ import annotations

import codecs

# What Windows programs put before a text, and nobody sees.
BYTE_ORDER_MARK = "\ufeff"
# UTF-32 first: its mark begins with that of UTF-16.
_OTHERS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def utf8(data: bytes) -> str:
    """Decode UTF-8 and leave a byte order mark out.

    Raises ValueError saying what it is instead, in words that hold nothing of it.
    """
    for mark, name in _OTHERS:
        if data.startswith(mark):
            raise ValueError(f"is {name}, not UTF-8: save it as UTF-8")
    try:
        return data.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        where = f"byte {fault.start + 1}" + (f", on line {line}" if line > 1 else "")
        raise ValueError(f"is not UTF-8: see {where}") from None
