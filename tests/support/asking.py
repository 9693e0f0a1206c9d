"""Who asks in tests of the engine, and for what."""

from core.callers import Caller

ADA = Caller("slack", "T1:UADA")
BOB = Caller("telegram", "42")
HELLO = {"text": "Build 214 is out"}
