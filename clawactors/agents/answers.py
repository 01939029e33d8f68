"""The last answer of a run: its text, or a value of the type that was asked for."""

import re
from typing import Any, Final

import msgspec

from clawactors.agents.schemas import schema_of
from clawactors.kernel.errors import Refused
from clawactors.systems.skills.returns import JSON, Returns, returns_of

__all__ = ["AnswerType"]

_FENCE: Final = re.compile(r"```[a-z]*\s*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)
_WRAPPED: Final = "answer"


class AnswerType:
    """The type of the answer: text without one; `schema` alone checks nothing but that it is JSON."""

    def __init__(self, annotation: Any = None, schema: dict[str, Any] | None = None) -> None:
        self.annotation = annotation
        self._returns: Returns = _returns(annotation)
        self.is_text = annotation in (None, str) and schema is None
        made = schema or ({} if self.is_text else schema_of(annotation))
        self._wraps = not self.is_text and not _is_object(made)
        """Endpoints want an object at the top."""
        self.schema = _wrapped(made) if self._wraps else made

    def instructions(self) -> str:
        """What the model is told, "" for text."""
        if self.is_text:
            return ""
        schema = msgspec.json.encode(self.schema).decode()
        return f"Your last answer is one JSON object and nothing else. It fits this JSON Schema: {schema}"

    def response_format(self) -> dict[str, Any]:
        """The field of the request."""
        told = {"name": "answer", "schema": self.schema, "strict": False}
        return {"type": "json_schema", "json_schema": told}

    def read(self, text: str) -> Any:
        """The value. Raises: `Refused` that says what does not fit."""
        if self.is_text:
            return text
        value = _json_in(text)
        if self._wraps:
            if not isinstance(value, dict) or _WRAPPED not in value:
                raise Refused(f"the answer has no {_WRAPPED!r}")
            value = value[_WRAPPED]
        if self.annotation is None:
            return value
        if self._returns is JSON:
            try:
                return msgspec.convert(value, self.annotation)
            except msgspec.ValidationError as error:
                raise Refused(f"the answer does not fit: {error}") from None
        return self._returns.made(value, "the answer")


def _returns(annotation: Any) -> Returns:
    def typed() -> None: ...

    typed.__annotations__ = {"return": annotation}
    return returns_of(typed)


def _is_object(schema: dict[str, Any]) -> bool:
    """True where what it describes is an object; a reference is followed."""
    if "$ref" in schema:
        inner = schema.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {})
        return bool(inner.get("type") == "object")
    return schema.get("type") == "object"


def _wrapped(schema: dict[str, Any]) -> dict[str, Any]:
    inner = {name: value for name, value in schema.items() if name != "$defs"}
    made: dict[str, Any] = {"type": "object", "properties": {_WRAPPED: inner}, "required": [_WRAPPED]}
    return made | ({"$defs": schema["$defs"]} if "$defs" in schema else {})


def _json_in(text: str) -> Any:
    """The JSON of an answer: alone, in a fence, or from the first brace to the last."""
    fenced = _FENCE.search(text)
    braced = text[text.find("{") : text.rfind("}") + 1]
    error: Exception | None = None
    for each in (text, fenced[1] if fenced else "", braced):
        if not each.strip():
            continue
        try:
            return msgspec.json.decode(each)
        except msgspec.DecodeError as raised:
            error = error or raised
    raise Refused(f"the answer is no JSON: {error or 'it is empty'}")
