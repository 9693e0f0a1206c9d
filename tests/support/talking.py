"""A service that answers in a few ways, and what a connector makes of each."""

from core.contract import Receipt, not_sent, refused, unknown
from core.errors import Certainty

TOO_FAST = not_sent("too_fast", "Too many messages.", "Wait a little.")
REFUSED = refused("gone", "The channel is gone.", "Choose another.")
FAILED = unknown("failed", "The service failed.", "Look.")


def once(status, body=b"", *headers):
    """Answer one request and close."""

    def script(peer):
        peer.request()
        peer.answer(status, body, "Connection: close", *headers)

    return script


def drop(peer):
    peer.request()


def talking(url, effect="write"):
    """A connector's send: what it makes of the answers these tests give."""

    def send(out):
        answer = out.post(url, json={"run": out.run}, effect=effect)
        if answer.status == 429:
            said = answer.json() or {}
            raise TOO_FAST.error(retry_after=said.get("retry_after", answer.retry_after))
        if answer.status == 400:
            raise REFUSED.error()
        if answer.status == 500:
            certainty = Certainty.REPEATABLE if effect == "keyed" else Certainty.MAYBE_DONE
            raise FAILED.error(certainty=certainty)
        return Receipt("sent")

    return send
