"""Whether a command has had its effect: one with its id has, and that one said the same.

1. A commit names the commands that it answers by their ids. Where the sender has chosen the id, it may have given it to
   another command before, so the commit names that as `<id>=<digest>` too: what the command says.
2. A command with the id of another one that said something else is refused.
3. Ids that processes draw are never drawn twice: of these, and of commits without digests, only the id counts.
"""

import hashlib
from typing import Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.naming import is_drawn
from clawactors.runtime.snapshots import Known

__all__ = ["answer_names", "check_same", "content_of", "repeat_of"]

_OTHER: Final = "a command with other content had this id or idempotency key: give another one"
_BESIDE: Final = ("id", "by")
"""What a command says of itself, not of what is to be done."""


def content_of(id: str, body: bytes) -> str:
    """The digest of a command as another program has written it, whatever its order of fields; "" for a drawn id."""
    if not id or is_drawn(id):
        return ""
    said = msgspec.json.decode(body)
    for name in _BESIDE:
        said.pop(name, None)
    return hashlib.blake2b(msgspec.json.encode(said, order="sorted"), digest_size=8).hexdigest()


def answer_names(call: Call) -> tuple[str, ...]:
    """What stands for the call in the commit that answers it."""
    if not call.command_id:
        return ()
    return (call.command_id, f"{call.command_id}={call.content}") if call.content else (call.command_id,)


def check_same(call: Call, content: str) -> None:
    """Raises `Refused` where the call, which has the id of one with this content, has another content."""
    if call.content and content and content != call.content:
        raise Refused(_OTHER)


def repeat_of(call: Call, known: Known) -> Answer | None:
    """The answer to a call whose command has had its effect; None where it is to be decided. Raises: `Refused`."""
    version = known.answered.get(call.command_id) if call.command_id else None
    if version is None:
        return None
    if call.content:
        begin = f"{call.command_id}="
        for name in known.answered:
            if name.startswith(begin):
                check_same(call, name[len(begin) :])
    return Answer(version, known.snapshot.state, repeats=True)
