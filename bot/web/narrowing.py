"""The part of the API's description that is about what its reader may do."""

from copy import deepcopy
from typing import Any

from bot.web.authentication import READS
from core.contract import TARGET
from core.engine import Access, Engine


def allowed(document: dict[str, Any], who: Access, engine: Engine) -> dict[str, Any]:
    """Return the part of a document that describes what somebody may do."""
    paths: dict[str, Any] = {}
    for path, page in document["paths"].items():
        # An action's page bears its name.
        acts = path.startswith("/actions/") and "post" in page
        action = page["post"]["operationId"] if acts else None
        if who.offers(action) if action else path not in READS or who.reads(READS[path]):
            paths[path] = page if who.token is None else _narrowed(page, who, action, engine)
    return {**document, "paths": paths}


def _narrowed(
    page: dict[str, Any], who: Access, action: str | None, engine: Engine
) -> dict[str, Any]:
    """Return a page without the names that a token may not use."""
    page = deepcopy(page)
    if action is None:
        for parameter in page.get("get", {}).get("parameters", ()):
            if parameter["name"] == "action":
                names = parameter["schema"]["enum"]
                offered = [name for name in names if who.scope.offers(name)]
                services = {name.partition(".")[0] for name in offered}
                parameter["schema"]["enum"] = [n for n in names if n in {*offered, *services}]
    elif targets := who.only_targets(action):
        media = page["post"]["requestBody"]["content"]["application/json"]
        schema = media["schema"]
        where = engine.action(action)[1].input.destinations()
        for name in where:
            del schema["properties"][name]
        schema.pop("anyOf", None)  # which of them, or a target, may be given
        schema["properties"][TARGET] = {"type": "string", "enum": sorted(targets)}
        schema["required"] = [n for n in schema.get("required", ()) if n not in where] + [TARGET]
        for example in media["examples"].values():
            kept = {n: value for n, value in example["value"].items() if n not in where}
            example["value"] = {**kept, TARGET: min(targets)}
    return page
