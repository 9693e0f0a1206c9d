"""What a connector must declare: contracts, settings, actions, a probe.

A contract is the pydantic model of an action's input and the only place where words about
its fields are written: help, forms, usage, HTTP schema, docs and tray read them from here.
"""

from core.contract.answers import AnswerRow, AnswerTable, not_sent, refused, unknown
from core.contract.declaration import (
    Action,
    Connector,
    Interface,
    Lister,
    Pairing,
    Probe,
    Receipt,
)
from core.contract.fields import (
    TARGET,
    Columns,
    Contract,
    Entered,
    FieldSpec,
    field,
    message_field,
)
from core.contract.http import Answer, AnswerModel, HttpClient
from core.contract.settings import (
    BaseUrl,
    Config,
    Problem,
    Secret,
    Setting,
    base_url,
    bearer,
    setting,
    upstream_url,
)
from core.contract.text import (
    BYTE_ORDER_MARK,
    Cell,
    TypedNumber,
    folded,
    nearest,
    utf8,
    with_newlines,
)
from core.contract.validation import json_of_at_most
from core.network import loopback
from core.plain import listed, plain_line, utf16_length

__all__ = [
    "BYTE_ORDER_MARK",
    "TARGET",
    "Action",
    "Answer",
    "AnswerModel",
    "AnswerRow",
    "AnswerTable",
    "BaseUrl",
    "Cell",
    "Columns",
    "Config",
    "Connector",
    "Contract",
    "Entered",
    "FieldSpec",
    "HttpClient",
    "Interface",
    "Lister",
    "Pairing",
    "Probe",
    "Problem",
    "Receipt",
    "Secret",
    "Setting",
    "TypedNumber",
    "base_url",
    "bearer",
    "field",
    "folded",
    "json_of_at_most",
    "listed",
    "loopback",
    "message_field",
    "nearest",
    "not_sent",
    "plain_line",
    "refused",
    "setting",
    "unknown",
    "upstream_url",
    "utf8",
    "utf16_length",
    "with_newlines",
]
