"""Prism: an independent program that refuses what breaks a vendor's description, both ways."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.npm import FOLDER, package
from tests.support.vendor import Vendor, needed

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parents[1] / "npm" / "prism.cjs"
# Prism reads all of a schema at its start, for half a minute where it is Notion's: so far into
# an answer it looks, and leaves what lies deeper to tests/core/sandbox/test_specs.py.
DEEP = 2
# What Levqor never sends to Notion, and costs Prism most.
UNSENT = ("children", "icon", "cover", "template", "content", "markdown", "position")


class Prism:
    """Where each service is behind it, and what it had against anything that passed."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        self.found: list[str] = []


@contextmanager
def prism(specs: Path, upstreams: dict[str, str], folder: Path) -> Iterator[Prism]:
    """Stand in front of services; skips the test where there is no Prism, but never in CI."""
    package("@stoplight/prism-cli")
    words = ["node", str(PROGRAM)]
    for name, upstream in upstreams.items():
        file = folder / f"{name}.json"
        file.write_text(json.dumps(_shallow(Vendor.read(specs, name).spec, name)), "utf-8")
        words += [str(file), upstream]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environ = {**os.environ, "NODE_PATH": str(FOLDER)}
    with subprocess.Popen(words, env=environ, **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        made = Prism({})
        reading = threading.Thread(target=made.found.extend, args=(process.stderr,))
        reading.start()
        try:
            made.addresses = {name: process.stdout.readline().strip() for name in upstreams}
            assert all(made.addresses.values()), made.found
            yield made
        except Exception as error:
            # What a service's caller is told is less than what Prism knows.
            raise AssertionError(made.found) from error
        finally:
            process.kill()
            reading.join()


def _shallow(spec: dict[str, Any], name: str) -> dict[str, Any]:
    # Of a choice that is cut off, more than one fits.
    spec = json.loads(json.dumps(spec).replace('"oneOf": [', '"anyOf": ['))
    asked, answered = [], []
    for item in spec["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                answered.append(operation["responses"])
                asked.append({**operation, "responses": {}})
            else:
                asked.append(operation)
    if name == "notion":
        body = spec["paths"]["/v1/pages"]["post"]["requestBody"]["content"]["application/json"]
        for unsent in UNSENT:
            del body["schema"]["properties"][unsent]
    kept = {*_near(spec, asked, 99), *_near(spec, answered, DEEP)}
    for group, things in spec["components"].items():
        for thing in things:
            if (group, thing) not in kept:
                things[thing] = {}
    return {**spec, "components": needed(spec)}


def _near(spec: dict[str, Any], roots: list[Any], deep: int) -> set[tuple[str, str]]:
    """The components that are at most so many references away."""
    kept: set[tuple[str, str]] = set()
    while roots and deep:
        found = re.findall(r'"\$ref": "#/components/(\w+)/([^"]+)"', json.dumps(roots))
        new = {*found} - kept
        roots, deep = [spec["components"][group][name] for group, name in new], deep - 1
        kept |= new
    return kept
