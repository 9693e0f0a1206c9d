"""What each connector is given to send, for all that its vendor's description says of it."""

from core.sandbox import slack, telegram
from core.sandbox.notion import schema
from core.sandbox.sheets import TABS
from tests.support.sandbox.slack_identity import PERSON

LONG = 'é🚀 <b>&amp; "quotes" \' \\ \t\n' * 70
PAGE = {
    "title": "Fix login",
    "Notes": LONG * 4,
    "Points": 4.5,
    "Priority": "High",
    "Status": "Open",
    "Tags": ["bug", "brand new"],
    "Due": "2026-12-01/2026-12-05",
    "Done": True,
    "Link": "https://example.com/" + "a" * 1980,
    "Mail": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example",
    "Phone": "+49 30 1234",
    "Owner": schema.PERSON,
    "Related": schema.TASK,
    "Files": "https://example.com/report.pdf https://example.com/two",
}
EMPTY = dict.fromkeys(PAGE, "") | {"Done": "no", "Status": "Done"}
ODD = {
    "title": "🚀" * 2000, "Points": -(2**53), "Due": "2026-12-01 10:30", "Phone": "1" * 200,
    "Tags": [f"tag {n}" for n in range(100)], "Priority": "x" * 100,
    "Related": ",".join(f"{n:032x}" for n in range(100)),
}  # fmt: skip
CELLS = [["a", "", None], [True, False], [1, -2.5, 1e-9, 10**14], ["=1+1", "'x", LONG]]
# What each connector sends: its first action, with every kind of value at its bounds.
SENDS = {
    "slack": [
        {"text": "hi"}, {"text": LONG[:3000]}, {"text": "hi", "channel": slack.GENERAL},
        {"text": LONG[:3000], "channel": "#general"}, {"text": "x", "channel": PERSON},
    ],
    "notion": [
        {"props": PAGE, "database_id": schema.DATABASE.id},
        {"props": EMPTY, "database_id": schema.DATABASE.id},
        {"props": ODD, "database_id": schema.TASKS.id},
    ],
    "sheets": [
        {"values": CELLS}, {"values": [["x"] * 26] * 500},
        *({"range": f"{tab}!B2", "values": [["x"]]} for tab in TABS),
        {"range": "A1:B2", "values": [["x"]]},
    ],
    "telegram": [
        {"text": "hi", "chat_id": str(telegram.GROUP)},
        {"text": "hi", "chat_id": "@levqor_sandbox"},
        {"text": "é" * 4096, "chat_id": telegram.CHANNEL},
    ],
    "email": [
        {"to": "a@example.com", "subject": "s", "text": "t"},
        {"to": "ann+x@bücher.example", "subject": "é" * 200, "text": LONG * 20},
    ],
}  # fmt: skip
