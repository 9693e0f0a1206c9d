"""Input that is long and meant to cost time, and every place of the product that reads text."""

import ast
import gc
import importlib
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.slack.escaping import unescape
from bot.slack.settings import command_prefix
from bot.web import settings as http
from core.connectors import CONNECTORS
from core.connectors._notion.properties import typed
from core.connectors._notion.schema import Column, Option, Schema
from core.connectors._notion.values import PLAIN
from core.contract import folded, listed, nearest
from core.engine.authorization import find_action
from core.engine.validation import fingerprint, validate
from core.errors import LevqorError
from core.grammar import parse_chat, parse_items, read_json, rows, value
from core.interfaces import declared
from core.masking import Redactor, mask
from core.settings import app as settings

ROOT = Path(__file__).parents[2]
# Each is repeated to the length wanted; what makes a pattern go back is in here.
UNITS = [
    *(" ", "\t", "\n", "\r\n", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", ",", ", ", " ,"),
    *("a", "a ", "a, ", "a.", "A1", "0", "1.", "1,", "-", "- ", ".", "/", "//a", "?#", ":", "::"),
    *("=", "a=", "a=b ", "a = b ", '"a"=b ', "“a”=b\n", '"', '""', '"a', "'", "''a", "“", "“a”"),
    *("“\N{NO-BREAK SPACE}", "”“", "„", "\N{LEFT SINGLE QUOTATION MARK}", "@", "a@", "a@a."),
    *("<", "<a", "<a:", "<a|", "<#a>", "<@a|b", "&amp", "&lt;", "[", "[[", "]", "{", '{"a":', "("),
    *(")", "!", "a!", "$", "$A", "\\", "*", ";", "a:*=*;", "%3A", "é", "ß", "🚀", "م", "。", "ü."),
    *("\N{COMBINING ACUTE ACCENT}", "\N{COMBINING ACUTE ACCENT}\N{COMBINING GRAVE ACCENT BELOW}"),
    *("e\N{COMBINING ACUTE ACCENT}", "\N{FULLWIDTH LATIN CAPITAL LETTER A}", "xn--", "xn--a."),
    *("-eyJaaaaaaaa", "eyJaaaaaaaa.a", "-----BEGIN A", "-----END A", "bearer ", "basic ", "re_"),
    *("hooks.slack.com/", "https://a/", "http://a ", "2026-12-01/", "application/", "charset="),
]
KINDS = [(unit, wrapped) for unit in UNITS for wrapped in (True, False)]


def hostile(kind, size):
    """So many characters of one kind: a unit, with a letter and a mark around it or alone."""
    unit, wrapped = kind
    body = (unit * (size // len(unit) + 1))[: size - 2]
    return f"a{body}!" if wrapped else body


@dataclass(frozen=True)
class Reader:
    """One place that reads text: what it is, and how it is called."""

    name: str
    call: object

    def seconds(self, text):
        """The processor's time for one text, whatever comes of it."""
        # A collection counts all there is, not what this reader made.
        gc.disable()
        began = time.process_time()
        with suppress(LevqorError, ValueError):
            self.call(text)
        taken = time.process_time() - began
        gc.enable()
        return taken


def readers():
    """Every reader: the fields, Notion's columns, the grammar, the settings, the patterns."""
    return [*_fields(), *_columns(), *_typed(), *_others(), *_settings(), *_patterns()]


def _actions():
    return [(f"{c.name}.{a.name}", a) for c in CONNECTORS for a in c.actions]


def _fields():
    """Each field of each action, through the contract and to the fingerprint."""
    for action_id, action in _actions():

        def given(values, action=action, action_id=action_id):
            request = validate(action.input, {**action.sample, **values}, lambda _: None)
            fingerprint(b"key", action_id, request)

        for spec in action.input.fields():
            name = f"{action_id} {spec.name}"
            yield Reader(name, lambda text, n=spec.name, g=given: g({n: text}))
            if spec.kind == "rows":
                yield Reader(f"{name}, a cell", lambda text, n=spec.name, g=given: g({n: [[text]]}))
                many = Reader(
                    f"{name}, many cells",
                    lambda text, n=spec.name, g=given: g({n: [list(text[:2000])] * 2}),
                )
                yield many
            if spec.kind == "mapping":
                yield Reader(
                    f"{name}, a name", lambda text, n=spec.name, g=given: g({n: {text: 1}})
                )
                yield Reader(
                    f"{name}, deep", lambda text, n=spec.name, g=given: g({n: {"a": [text]}})
                )
        yield Reader(f"{action_id}, an unknown field", lambda text, g=given: g({text: 1}))


def _columns():
    """Each type of Notion's columns, as a text, in a list, and as a column's name."""
    options = tuple(Option(id=f"i{n}", name=f"Option {n}, or more") for n in range(100))
    schema = Schema(
        id="x", properties={k: Column(id=k, type=k, options=options) for k in (*PLAIN, "formula")}
    )
    for kind in PLAIN:
        yield Reader(f"Notion {kind}", lambda text, k=kind: typed({k: text}, schema))
        yield Reader(f"Notion {kind}, a list", lambda text, k=kind: typed({k: [text]}, schema))
        yield Reader(
            f"Notion {kind}, items", lambda text, k=kind: typed({k: text.split("a")}, schema)
        )
    yield Reader("Notion, a column's name", lambda text: typed({text: "x"}, schema))
    parts = Reader("Notion date, parts", lambda text: typed({"date": {"start": text}}, schema))
    yield parts


def _typed():
    """What is typed, for each action."""
    for action_id, action in _actions():
        contract = action.input
        yield Reader(f"chat, {action_id}", lambda text, c=contract: parse_chat(text, c))
        yield Reader(f"items, {action_id}", lambda text, c=contract: parse_items([text], c))
        yield Reader(
            f"many items, {action_id}",
            lambda text, c=contract: parse_items(text[: len(text) // 4].split(), c),
        )
        for spec in contract.fields():
            if spec.kind != "text":
                yield Reader(f"typed, {action_id} {spec.name}", lambda text, s=spec: value(s, text))


def _others():
    redactor = Redactor(
        ["secret-of-ours", "https://hooks.slack.com/services/T0/B0/x"],
        [shape for one in declared() for shape in one.token_shapes],
    )
    actions = {c.action_id(action): (c, action) for c in CONNECTORS for action in c.actions}
    named = [
        *(folded, mask, rows, read_json, unescape, redactor.clean),
        *(listed, lambda text: listed(text.split()), lambda text: nearest(text, actions)),
        lambda text: find_action(actions, text),
    ]
    return [Reader(getattr(call, "__qualname__", "?"), call) for call in named]


def _settings():
    calls = [settings.days, settings.upgrade_url, settings.callers, settings.permits]
    calls += [http.flag, http.networks, http.origins]
    yield Reader("setting slack_prefix", command_prefix)
    yield from (Reader(f"setting {call.__name__}", call) for call in calls)
    yield Reader("setting address", settings.Address.parse)
    for connector in CONNECTORS:
        for one in connector.config.settings():
            yield Reader(
                f"setting {one.name}",
                lambda text, c=connector.config, n=one.name: c.model_validate({n: text}),
            )


_METHODS = {"fullmatch", "match", "search", "split", "findall", "finditer", "sub"}
# Patterns made where they are used, of what stands in a setting or of a few marks.
MADE_ON_THE_SPOT = {
    "core/cli/questions.py",  # a setting's shape
    "core/cli/prompt.py",  # the same
    "core/cli/help.py",  # typer's own sentences, out of one table
    "core/grammar/words.py",  # a quote's closing marks; read through `parse_chat`
    "core/ledger/postgres_errors.py",  # the server's and libpq's sentences, out of one table
    "core/settings/names.py",  # the names of a service's settings
    "core/settings/settings.py",  # a setting's shape
    "core/settings/app.py",  # LEVQOR_ALLOW
}


def _patterns():
    """Every regular expression of the product, used as it is used there."""
    for room in ("core", "bot", "tray"):
        for file in sorted((ROOT / room).rglob("*.py")):
            source = file.read_text()
            if "import re\n" in source:
                yield from _patterns_of(file.relative_to(ROOT).as_posix(), source)


def _patterns_of(path, source):
    module = importlib.import_module(
        path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    )
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method, owner = node.func.attr, node.func.value
        if method not in _METHODS:
            continue
        pattern = None
        if isinstance(owner, ast.Name) and owner.id == "re":
            rest = [*node.args[1:], *(word.value for word in node.keywords)]
            flags = [one for one in rest if ast.unparse(one).startswith("re.")]
            pattern = _made(path, module, node.args[0], flags)
        elif isinstance(owner, ast.Call) and ast.unparse(owner.func) == "re.compile":
            pattern = _made(path, module, owner.args[0], owner.args[1:])
        elif isinstance(owner, ast.Name):
            pattern = getattr(module, owner.id, None)
        if isinstance(pattern, re.Pattern):
            yield Reader(f"{path}:{node.lineno} {method}", _used(pattern, method))


def _made(path, module, pattern, flags):
    try:
        made = [eval(ast.unparse(one), vars(module)) for one in (pattern, *flags)]
        return re.compile(*made[:2]) if isinstance(made[0], str) else made[0]
    except (NameError, TypeError):
        assert path in MADE_ON_THE_SPOT, f"a pattern of {path} cannot be looked at"
        return None


def _used(pattern, method):
    if isinstance(pattern.pattern, bytes):
        return lambda text: getattr(pattern, method)(text.encode())
    if method == "sub":
        return lambda text: pattern.sub("", text)
    if method == "finditer":
        return lambda text: list(pattern.finditer(text))
    if method == "split":
        return lambda text: pattern.split(text, maxsplit=0)
    return getattr(pattern, method)
