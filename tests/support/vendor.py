"""The vendors' own descriptions, and all they have against a request and its answer.

    Vendor.read(specs, "notion").faults(call)

A description is read with its known mistakes mended (`tests/support/vendor_mends.py` says why),
cut down to the calls that are made, and closed: a field or a parameter that it does not name is
a fault as well, in requests and in answers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.support.vendor_mends import CALLS, MENDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

# Our services' names, and what each vendor's file is called.
FILES = {
    "slack": "slack-web-2021",
    "notion": "notion",
    "sheets": "sheets.v4",
    "telegram": "telegram",
    "resend": "resend",
}
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass
class Call:
    """A request and its answer, as openapi-core wants to see them.

    `target` is the address behind the host, as it stood on the wire.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None
    status_code: int
    answer_headers: dict[str, str]
    data: bytes

    @property
    def path(self) -> str:
        """The path, without what is asked for behind it."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """What stands behind the path."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status_code}"


@dataclass
class _Asked:
    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str


@dataclass
class _Answered:
    data: bytes
    status_code: int
    headers: Headers
    content_type: str


class Vendor:
    """One vendor's description."""

    def __init__(self, name: str, spec: dict[str, Any]) -> None:
        self.name, self.spec = name, spec
        self._api = OpenAPI.from_dict(spec)
        self._server = urlsplit(spec["servers"][0]["url"])
        self._host = f"{self._server.scheme}://{self._server.netloc}"

    @staticmethod
    def read(specs: Path, name: str) -> Vendor:
        """Read it, mended and closed."""
        return _read(specs, name)

    def faults(self, call: Call) -> list[str]:
        """What the vendor has against a request and its answer."""
        return [*self.request_faults(call), *self.answer_faults(call)]

    def request_faults(self, call: Call) -> list[str]:
        """What the vendor has against a request."""
        found = [_words(error) for error in self._api.iter_request_errors(self._asked(call))]
        return [f"{call}: {each}" for each in (*found, *self._undeclared(call))]

    def answer_faults(self, call: Call) -> list[str]:
        """What the vendor would never answer, in this answer."""
        headers = call.answer_headers
        answered = _Answered(
            call.data, call.status_code, Headers(headers), _kind(headers) or "text/html"
        )
        errors = self._api.iter_response_errors(self._asked(call), answered)
        return [f"{call}: {_words(error)}" for error in errors]

    def operation(self, call: Call) -> tuple[str, dict[str, Any]]:
        """The call's path in the description, and what it says of the call."""
        wanted = call.path.removeprefix(self._server.path)
        for path, item in self.spec["paths"].items():
            shape = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
            if re.fullmatch(shape, wanted) and call.method.lower() in item:
                shared = item.get("parameters", [])
                operation = item[call.method.lower()]
                return path, {**operation, "parameters": shared + operation.get("parameters", [])}
        raise LookupError(f"no such call: {call}")

    def _undeclared(self, call: Call) -> Iterator[str]:
        """Parameters without a description, and what every call needs and no file says."""
        _, operation = self.operation(call)
        parameters = [_resolved(self.spec, each) for each in operation["parameters"]]
        known = {each["name"] for each in parameters if each["in"] == "query"}
        for name, _ in call.query:
            if name not in known:
                yield f"no parameter is called {name}"
        names = {name.lower() for name in call.headers}
        if operation.get("x-bearer", self.name != "telegram") and "authorization" not in names:
            yield "no Authorization"
        if call.body and "requestBody" not in operation:
            yield "no body is expected"

    def _asked(self, call: Call) -> _Asked:
        parameters = RequestParameters(
            query=ImmutableMultiDict(call.query), header=Headers(call.headers)
        )
        body, kind = call.body or None, _kind(call.headers)
        if self.name == "telegram" and kind == "application/x-www-form-urlencoded":
            # A form is as good; its description has JSON alone.
            body, kind = self._form_as_json(call), "application/json"
        path = unquote(call.path)
        return _Asked(self._host, path, call.method.lower(), parameters, body, kind)

    def _form_as_json(self, call: Call) -> bytes:
        _, operation = self.operation(call)
        content = operation["requestBody"]["content"]["application/json"]["schema"]
        made: dict[str, Any] = {}
        for name, value in parse_qsl((call.body or b"").decode(), keep_blank_values=True):
            plain = content["properties"].get(name, {}) == {"type": "string"}
            try:
                made[name] = value if plain else json.loads(value)
            except ValueError:
                made[name] = value
        return json.dumps(made).encode()


@cache
def _read(specs: Path, name: str) -> Vendor:
    spec = json.loads((specs / f"{FILES[name]}.openapi.json").read_text("utf-8"))
    # Only what is called: the rest costs seconds.
    spec["paths"] = {path: item for path, item in spec["paths"].items() if path in CALLS[name]}
    for each in MENDS:
        if each.vendor == name:
            each.mend(spec, specs)
    # Who signs in is looked at here: Google's way is one that openapi-core does not know.
    for unused in ("security", "webhooks"):
        spec.pop(unused, None)
    for item in spec["paths"].values():
        for method in METHODS:
            item.get(method, {}).pop("security", None)
    made: dict[str, Any] = closed(spec, spec)
    return Vendor(name, {**made, "components": needed(made)})


def needed(spec: dict[str, Any]) -> dict[str, Any]:
    """The components that the calls refer to, directly or not."""
    kept: dict[str, Any] = {}
    waiting = [spec["paths"]]
    while waiting:
        for reference in re.findall(r'"\$ref": "#/components/([^"]+)"', json.dumps(waiting.pop())):
            group, name = reference.split("/")
            if name not in kept.setdefault(group, {}):
                kept[group][name] = spec["components"][group][name]
                waiting.append(kept[group][name])
    return kept


def closed(schema: Any, spec: dict[str, Any]) -> Any:
    """Refuse what a schema does not name; what has several parts (allOf) is put together first."""
    if isinstance(schema, list):
        return [closed(inner, spec) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("allOf"), list):
        whole = [closed(each, spec) for each in _together(schema, spec)]
        return whole[0] if len(whole) == 1 else {"anyOf": whole}
    made = {key: closed(inner, spec) for key, inner in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _together(schema: dict[str, Any], spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything that a schema may be, without references, choices and parts at its top."""
    schema = _resolved(spec, schema)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return [made for each in schema[several] for made in _together(each, spec)]
    if "allOf" not in schema:
        return [schema]
    wholes = [{key: value for key, value in schema.items() if key != "allOf"}]
    for part in schema["allOf"]:
        wholes = [_joined(each, more) for each in wholes for more in _together(part, spec)]
    return wholes


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    made = {**one, **other, "properties": properties}
    if required := {*one.get("required", ()), *other.get("required", ())}:
        made["required"] = sorted(required)
    return made


def _resolved(spec: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    for name in value.get("$ref", "").split("/")[1:]:
        spec = spec[name]
    return spec if "$ref" in value else value


def _kind(headers: dict[str, str]) -> str:
    kinds = [value for name, value in headers.items() if name.lower() == "content-type"]
    return kinds[0].partition(";")[0].strip() if kinds else ""


def _words(error: Exception) -> str:
    """The error, and its reasons that stand deepest in what was sent."""
    leaves = [*_leaves(getattr(error.__cause__, "schema_errors", ()))]
    if not leaves:
        return f"{error!r}: {error.__cause__!r}"
    most = max(len(leaf.absolute_path) for leaf in leaves)
    deep = [leaf for leaf in leaves if len(leaf.absolute_path) == most]
    words = dict.fromkeys(f"{leaf.json_path}: {leaf.message[:200]}" for leaf in deep)
    return f"{error!r}: {'; '.join([*words][:5])}"


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        if error.context:
            yield from _leaves(error.context)
        else:
            yield error
