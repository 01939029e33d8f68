"""What a model answers: the reply as it is recorded, from a whole answer or from the pieces of a stream. Pure.

1. Endpoints differ: pieces without an index or id, content in parts, usage that is missing. All of it is read.
2. What is no reply at all (a web page, an error in a stream, a stream that was cut) raises, and nothing is recorded.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from clawactors.agents.failures import ModelUnavailable, failure_of
from clawactors.runtime.packing import token_count

__all__ = ["ModelReply", "ModelUsage", "ReplyPieces", "ToolCall", "reply_of"]

_SHOWN: Final = 120


class ToolCall(msgspec.Struct, frozen=True):
    """A call of a tool that the model asks for; `arguments` is JSON as the model wrote it, maybe broken."""

    id: str
    name: str
    arguments: str


class ModelUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call, and its price where the endpoint tells it. `estimated`: counted here."""

    input: int = 0
    output: int = 0
    cost: float | None = None
    estimated: bool = False


class ModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a model, as the step of its call records it.

    `seconds` is what the call took; `context` the limit in tokens that the messages were shortened to, 0 for none.
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    model: str = ""
    usage: ModelUsage = ModelUsage()
    seconds: float = 0.0
    context: int = 0


class ReplyPieces:
    """Puts the pieces of a stream together."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._usage: Mapping[str, Any] | None = None
        self.finish, self.model = "", ""

    def add(self, chunk: Any) -> str:
        """The text that the piece adds. Raises: as `failure_of` for an error that the stream carries."""
        if not isinstance(chunk, dict):
            raise ModelUnavailable(f"the endpoint streams {repr(chunk)[:_SHOWN]} instead of pieces of a reply")
        if chunk.get("error"):
            raise failure_of(_status_in(chunk["error"]), chunk)
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        self.model = self.model or _text(chunk.get("model"))
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        self.finish = _text(choice.get("finish_reason")) or self.finish
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, dict):
            return ""
        for each in delta.get("tool_calls") or ():
            self._add_call(each)
        text = _content(delta)
        self._text.append(text)
        return text

    def _add_call(self, piece: Any) -> None:
        if not isinstance(piece, dict):
            return
        told = piece.get("function")
        function: dict[str, Any] = told if isinstance(told, dict) else {}
        call = self._calls.setdefault(self._place(piece, bool(function.get("name"))), _empty_call())
        call["id"] = call["id"] or _text(piece.get("id"))
        call["name"] = call["name"] or _text(function.get("name"))
        arguments = function.get("arguments")
        call["arguments"] += arguments if isinstance(arguments, str) else _json(arguments)

    def _place(self, piece: Mapping[str, Any], is_named: bool) -> int:
        """Which call a piece belongs to. Some endpoints leave out the index, count it anew, or send 0 for all."""
        last = max(self._calls, default=-1)
        index, id = piece.get("index"), _text(piece.get("id"))
        if not isinstance(index, int) or index < 0:
            known = next((place for place, call in self._calls.items() if id and call["id"] == id), None)
            return max(last, 0) + (is_named and last >= 0) if known is None else known
        if index in self._calls:
            other = self._calls[index]["id"]
            return last + 1 if is_named and id and other and id != other else index
        return index if is_named or id or last < 0 else last

    def reply(self, prompt_tokens: int) -> ModelReply:
        """The reply; `prompt_tokens` counts where the endpoint tells no usage. Raises: `ModelUnavailable`."""
        text = "".join(self._text)
        calls = list[ToolCall]()
        for index, each in sorted(self._calls.items()):
            id = each["id"] if each["id"] not in {call.id for call in calls} else ""  # results are told by it
            calls.append(ToolCall(id or f"call-{index}", each["name"], each["arguments"].strip() or "{}"))
        if not (text or calls or self.finish):
            raise ModelUnavailable("the endpoint sent an empty reply")
        written = text + "".join(each.name + each.arguments for each in calls)
        usage = _usage(self._usage) or ModelUsage(input=prompt_tokens, output=token_count(written), estimated=True)
        return ModelReply(text=text, calls=tuple(calls), finish=self.finish, model=self.model, usage=usage)


def reply_of(answer: Any, prompt_tokens: int) -> ModelReply:
    """The reply of a whole answer, as it comes without a stream. Raises: `ModelUnavailable`; as `failure_of`."""
    pieces = ReplyPieces()
    pieces.add(answer)
    return pieces.reply(prompt_tokens)


def _usage(told: Mapping[str, Any] | None) -> ModelUsage | None:
    """The usage that an endpoint tells, None where those are not counts."""
    if told is None:
        return None
    counts = [told.get(name) for name in ("prompt_tokens", "completion_tokens")]
    if not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in counts):
        return None
    cost = told.get("cost")
    is_cost = isinstance(cost, int | float) and not isinstance(cost, bool) and math.isfinite(cost) and cost >= 0
    return ModelUsage(input=counts[0] or 0, output=counts[1] or 0, cost=float(cost) if is_cost and cost else None)


def _empty_call() -> dict[str, str]:
    return {"id": "", "name": "", "arguments": ""}


def _content(delta: Mapping[str, Any]) -> str:
    content = delta.get("content")
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return _text(content) or _text(delta.get("refusal"))


def _status_in(error: Any) -> int:
    code = error.get("code", error.get("status")) if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _json(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
