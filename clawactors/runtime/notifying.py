"""What a client asks of the process that leads about notifications: try one, now."""

import msgspec

from clawactors.runtime.asking import Failure

__all__ = ["NOTIFY_TEST", "NotifyTestReply", "NotifyTestRequest"]

NOTIFY_TEST = "notify-test"


class NotifyTestRequest(msgspec.Struct, frozen=True):
    """Send a message to where the rule of that name sends. `request` names it: asked again, it is sent once."""

    name: str
    request: str


class NotifyTestReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """`done` once it was sent; `failure` says why it was not."""

    done: bool = False
    failure: str = ""
    error: Failure | None = None
