"""Exports of chats: `conversations.json` of ChatGPT and of Claude, told apart by their shape.

1. A user's own messages become memories of the owner: each with its time, and its conversation as session. What an
   assistant, a tool or the system wrote is context and no evidence: it counts for the position of a message, and is
   not kept.
2. Of a conversation that was edited, the branch that the user left off at counts.
3. The id of a memory follows from owner, conversation and message: the same export again, or a later one, adds
   nothing twice.
4. One conversation is in memory at a time.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.memory.ingest.chunking import chunks
from clawactors.memory.ingest.jsonlines import Dropped, time_of
from clawactors.memory.ingest.jsonstream import elements
from clawactors.memory.text.importance import importance, tone
from clawactors.memory.text.normal import clean
from clawactors.systems.memories import Content

__all__ = ["ExportedNote", "Message", "from_export"]

_TAG_LIMIT: Final = 64
_ID_LIMIT: Final = 200
_SHAPES: Final = (
    "it is no export of ChatGPT or Claude: a list of conversations with `mapping` or `chat_messages` was expected"
)
_NOTES: Final = "; notes are JSON Lines: one object with `text` per line, in a file that ends in .jsonl"


class Message(msgspec.Struct, frozen=True):
    """A message of an export; `role` is "user" for the user's own."""

    id: str
    role: str
    text: str
    at_ns: int = 0


class ExportedNote(msgspec.Struct, frozen=True):
    """A memory of a message, and the key that names it."""

    content: Content
    key: str


# The shapes


def from_export(
    read: Callable[[int], str], *, owner: str, tags: tuple[str, ...] = ()
) -> Iterator[ExportedNote | Dropped]:
    """The memories of an export. Raises: `Refused` for JSON of another shape, and without an owner."""
    for number, conversation in enumerate(elements(read), 1):
        messages_of = _shape_of(conversation)
        if messages_of is None:
            if number == 1:
                raise Refused(_SHAPES + (_NOTES if _is_note(conversation) else ""))
            yield Dropped(f"conversation {number}", "it has neither `mapping` nor `chat_messages`")
            continue
        if not owner:
            raise Refused("an export is somebody's own words: name whose with --owner")
        yield from _conversation(conversation, messages_of, number, owner, tags)


def _shape_of(value: Any) -> "_MessagesOf | None":
    if isinstance(value, dict) and isinstance(value.get("mapping"), dict):
        return _chatgpt
    if isinstance(value, dict) and isinstance(value.get("chat_messages"), list):
        return _claude
    return None


def _is_note(value: Any) -> bool:
    return isinstance(value, dict) and "text" in value


type _MessagesOf = Callable[[dict[str, Any]], Iterable[Message | str]]
"""The messages of a conversation in order; a text is what is wrong with the one in its place."""


def _conversation(
    conversation: dict[str, Any], messages_of: _MessagesOf, number: int, owner: str, tags: tuple[str, ...]
) -> Iterator[ExportedNote | Dropped]:
    title = clean(_text(conversation.get("title")) or _text(conversation.get("name")))
    where = f"conversation {number}" + (f" ({title[:40]})" if title else "")
    began_ns = _time(conversation.get("create_time") or conversation.get("created_at"))
    id = next(
        (_text(conversation.get(name)) for name in ("conversation_id", "id", "uuid") if conversation.get(name)), ""
    )
    session = id[:_ID_LIMIT] or "c-" + _digest(f"{title}\0{began_ns}")
    at_ns = began_ns
    for position, message in enumerate(messages_of(conversation)):
        if isinstance(message, str):
            yield Dropped(f"{where}, message {position + 1}", message)
            continue
        at_ns = message.at_ns or at_ns
        if message.role != "user":
            continue
        named = message.id or f"{position}/{_digest(message.text)}"
        for nth, piece in enumerate(chunks(message.text)):
            content = Content(
                text=piece,
                owner=owner,
                speaker=owner,
                session=session,
                position=position,
                tags=tuple(dict.fromkeys((*tags, *([title[:_TAG_LIMIT]] if title else [])))),
                happened_ns=at_ns,
                importance=importance(piece),
                tone=tone(piece),
                origin="import",
            )
            yield ExportedNote(content, f"export/{session}/{named}/{nth}")


def _chatgpt(conversation: dict[str, Any]) -> Iterator[Message | str]:
    """The messages from the root of the tree to its current node; without one, to the newest leaf."""
    mapping: dict[str, Any] = conversation["mapping"]
    nodes = {id: node for id, node in mapping.items() if isinstance(node, dict)}
    at = conversation.get("current_node")
    if at not in nodes:
        parents = {node.get("parent") for node in nodes.values()}
        leaves = [id for id in nodes if id not in parents]
        at = max(leaves, key=lambda leaf: _time(_of(nodes[leaf], "message").get("create_time")), default=None)
    path: dict[str, None] = {}
    while isinstance(at, str) and at in nodes and at not in path:
        path[at] = None
        at = nodes[at].get("parent")
    for id in reversed(path):
        message = nodes[id].get("message")
        if message is None:  # the root holds none
            continue
        if not isinstance(message, dict) or not _text(_of(message, "author").get("role")):
            yield "it has no author"
            continue
        metadata, content = _of(message, "metadata"), _of(message, "content")
        role = _text(_of(message, "author").get("role"))
        # Custom instructions are sent along with each conversation, unseen.
        hidden = metadata.get("is_visually_hidden_from_conversation") or (
            content.get("content_type") in ("user_editable_context", "model_editable_context")
        )
        yield Message(
            _text(message.get("id")) or id,
            "hidden" if hidden else role,
            _joined(_list(content.get("parts")) or [content.get("text")]),
            _time(message.get("create_time")),
        )


def _claude(conversation: dict[str, Any]) -> Iterator[Message | str]:
    """The messages in order; where they name their parents and the conversation its last one, those up to it."""
    messages: list[Any] = conversation["chat_messages"]
    by_id = {message["uuid"]: message for message in messages if isinstance(message, dict) and message.get("uuid")}
    at = conversation.get("current_leaf_message_uuid")
    if at in by_id:
        path: dict[str, None] = {}
        while isinstance(at, str) and at in by_id and at not in path:
            path[at] = None
            at = by_id[at].get("parent_message_uuid")
        messages = [by_id[id] for id in reversed(path)]
    for message in messages:
        if not isinstance(message, dict) or not _text(message.get("sender")):
            yield "it has no sender"
            continue
        sender = message["sender"]
        text = _joined(part for part in _list(message.get("content")) if _is_text(part)) or _joined(
            [message.get("text")]
        )
        text = "\n".join(filter(None, (text, _joined(_pasted(message)))))
        yield Message(
            _text(message.get("uuid")), "user" if sender == "human" else sender, text, _time(message.get("created_at"))
        )


def _pasted(message: dict[str, Any]) -> Iterator[Any]:
    """Long pasted texts, which Claude makes attachments of; files with a name of their own are not the user's words."""
    for one in _list(message.get("attachments")):
        if isinstance(one, dict) and re.fullmatch(r"(?:past\w*(?:[-_ ].*)?\.txt)?", _text(one.get("file_name"))):
            yield one.get("extracted_content")


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type", "text") == "text"


def _joined(parts: Iterable[Any]) -> str:
    """The texts among the parts of a message; images and files are left out."""
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "\n".join(clean(text) for text in texts if isinstance(text, str) and clean(text))


def _of(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(value: Any) -> int:
    """The time of a message, 0 where it has none that can be read: then that of the message before it counts."""
    try:
        return time_of(value)
    except Refused:
        return 0


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
