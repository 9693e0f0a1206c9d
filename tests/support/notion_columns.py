"""Made databases of Notion's, and what is said of values for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.connectors._notion.dates import Zone
from core.connectors._notion.properties import typed
from core.connectors._notion.schema import Column, Schema
from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping


def schema(*types: str) -> Schema:
    """A database that has a column of each of these types, named after it."""
    return Schema(
        id="source", properties={kind: Column(id=f"%3A{kind}", type=kind) for kind in types}
    )


def made(kind: str, value: Any) -> Any:
    """What a value becomes in a column of this type."""
    return typed({kind: value}, schema(kind), Zone("Europe/Berlin")).values[kind][kind]


def faults(props: Mapping[str, Any], columns: Schema) -> list[tuple[str, str]]:
    """What is said of values that are refused: each field and its message."""
    with pytest.raises(InvalidInput) as caught:
        typed(props, columns)
    return [(fault.field, fault.message) for fault in caught.value.faults]


def text(*pieces: str) -> list[dict[str, Any]]:
    """Text as Notion takes it."""
    return [{"text": {"content": piece}} for piece in pieces]
