"""Send and probe with the real way out, against the stand-ins."""

import json
import re

import pytest

from core.errors import UpstreamError
from core.outbound import Outbound

RUN = "run_0123456789"


def configured(connector, sandbox, **changes):
    """The connector's settings as the sandbox gives them; None takes one away."""
    values = {**sandbox.settings(), **changes}
    return connector.config.model_validate({k: v for k, v in values.items() if v is not None})


def send(connector, sandbox, values, *, test=False, **changes):
    """Do the connector's first action, `check` included; a Receipt or what was raised."""
    action = connector.actions[0]
    request = action.input.model_validate(values)
    config = configured(connector, sandbox, **changes)
    if action.check:
        action.check(request, config, test)
    out = Outbound()
    try:
        return out.deliver(
            connector.name, b"credential", RUN, lambda way: action.send(request, config, way)
        )[0]
    finally:
        out.close()


def refusal(connector, sandbox, values, **changes):
    """What sending raises."""
    with pytest.raises(UpstreamError) as raised:
        send(connector, sandbox, values, **changes)
    return raised.value


def probe(connector, sandbox, **changes):
    """Probe the connector once."""
    config = configured(connector, sandbox, **changes)
    out = Outbound()
    try:
        return out.probe(connector.name, b"credential", lambda way: connector.probe(config, way))
    finally:
        out.close()


def golden(specs, name):
    """The one request an official SDK made."""
    return json.loads((specs / "golden" / f"{name}.json").read_text())["requests"][0]


def media_type(value):
    """A content type without its parameters."""
    return re.split(r"\s*;", value)[0]
