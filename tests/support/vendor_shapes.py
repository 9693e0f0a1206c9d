"""The parts of which a vendor's description is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Spec = dict[str, Any]


def object_of(**properties: Any) -> Spec:
    return {"type": "object", "properties": properties}


def content_of(schema: Spec, kind: str = "application/json") -> Spec:
    return {"content": {kind: {"schema": schema}}}


def schema_of(answer: Spec) -> Spec:
    content: Spec = answer["content"]["application/json"]["schema"]
    return content
