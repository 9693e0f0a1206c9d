"""The HTTP that runs send: deadlines, what may be tried again, and nothing sent twice.

An `Outbound` hands a connector one `HttpClient` for each attempt. The attempt has ten seconds in
all; whether a failure is `NotSent` or `Unknown` is decided by how far the request got, never
by the class of an exception. `retry.py` decides whether there is another attempt.
"""

from core.outbound.deliver import Delivery, Outbound, Try
from core.outbound.transport_errors import TRANSPORT

__all__ = ["TRANSPORT", "Delivery", "Outbound", "Try"]
