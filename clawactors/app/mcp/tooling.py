"""What a tool is: a function, with its arguments and their schema made of its signature.

1. Schemas are flat: no references, no unions, no null. Some clients take nothing else.
2. Models and clients send `null`, also as text, for what they leave out, and numbers and objects as text: that is read
   as it is meant.
"""

import difflib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from clawactors.app.places import past_place, place_ns
from clawactors.app.problem import Problem
from clawactors.kernel.time import duration_s, place_of, time_ns

if TYPE_CHECKING:
    from clawactors.app.mcp.calling import CallContext
    from clawactors.runtime.client import ClusterClient

__all__ = [
    "Duration",
    "Effect",
    "McpTool",
    "Moment",
    "Names",
    "PastMoment",
    "Payload",
    "TaskId",
    "given",
    "mcp_tool",
    "past",
    "place",
    "seconds",
    "when_ns",
]

type Effect = Literal["read", "change", "destroy"]
"""`destroy` needs a person."""

type TaskId = Annotated[str, Meta(description="The id of a task, as submit_task and list_tasks give it")]
type Duration = Annotated[str, Meta(description="A duration: 30s, 5m, 2h, 7d")]
type Moment = Annotated[str, Meta(description="A time with its zone: 2026-05-01T09:00:00Z")]
type PastMoment = Annotated[str, Meta(description="A log sequence, a time with its zone, or a time ago: -2h")]
type Names = list[str]
type Payload = dict[str, Any]

_SAID_MAX: Final = 300

type Work = Callable[..., Awaitable[dict[str, Any]]]
type Asks = Callable[[Mapping[str, Any]], bool]
type Checks = Callable[["CallContext", Mapping[str, Any]], Awaitable[None]]


class McpTool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. `asks` is whether a person is needed for these arguments; `work` takes the call and the arguments.

    `check` raises what the call would be refused for anyway, before a person is asked.
    """

    name: str
    title: str
    description: str
    group: str
    effect: Effect
    idempotent: bool
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    arguments: type[msgspec.Struct]
    work: Work
    asks: Asks
    check: Checks

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments, as the function takes them. Raises: `Problem` that says what is wrong."""
        fields = {field.name: field for field in msgspec.structs.fields(self.arguments)}
        meant: dict[str, Any] = {}
        for name, value in given.items():
            if name not in fields:
                near = difflib.get_close_matches(name, fields, 1)
                known = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(fields) or 'none'}"
                raise Problem("usage", f"{self.name} has no argument {name[:60]!r}: {known}", _AGAIN)
            if value in _NOTHING and not fields[name].required:
                continue
            meant[name] = _as_meant(value, fields[name].type)
        try:
            read = msgspec.convert(meant, self.arguments, strict=False)
        except msgspec.ValidationError as error:
            raise Problem("usage", f"{self.name}: {str(error)[:_SAID_MAX]}", _AGAIN) from None
        return {name: getattr(read, name) for name in fields}

    async def __call__(self, call: "CallContext", arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Does it, and returns its structured answer."""
        return await self.work(call, **arguments)


_NOTHING: Final[tuple[Any, ...]] = (None, "null", ["null"])
_AGAIN: Final = "correct the arguments and call again"


def mcp_tool(
    title: str,
    group: str,
    effect: Effect = "read",
    *,
    returns: dict[str, Any],
    idempotent: bool | None = None,
    asks: Asks | None = None,
    check: Checks | None = None,
) -> Callable[[Work], McpTool]:
    """Makes a tool of a function: its name, its docstring, and its parameters after the call.

    `asks`: the calls for which a person is asked; by default all that destroy, except dry runs. `check`: as in
    `McpTool`.
    """

    def made(function: Work) -> McpTool:
        arguments = _arguments_of(function)
        return McpTool(
            name=function.__name__,
            title=title,
            description=inspect.getdoc(function) or "",
            group=group,
            effect=effect,
            idempotent=effect == "read" if idempotent is None else idempotent,
            input_schema=_input_schema(arguments),
            output_schema=returns,
            arguments=arguments,
            work=function,
            asks=asks or (lambda given: effect == "destroy" and not given.get("dry_run")),
            check=check or _check_nothing,
        )

    return made


async def _check_nothing(_: "CallContext", arguments: Mapping[str, Any]) -> None:
    """There is nothing to refuse beforehand."""


def _arguments_of(function: Work) -> type[msgspec.Struct]:
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        default = parameter.default
        if default is inspect.Parameter.empty:
            fields.append((name, hints[name]))
        elif isinstance(default, list | dict):
            fields.append((name, hints[name], msgspec.field(default_factory=type(default))))
        else:
            fields.append((name, hints[name], default))
    return msgspec.defstruct(f"{function.__name__}_arguments", fields, kw_only=True, forbid_unknown_fields=True)


def _input_schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([arguments])
    schema: dict[str, Any] = components[arguments.__name__]
    schema.pop("title", None)
    for each in schema["properties"].values():
        if each.get("type") == "array":
            each.setdefault("items", {})  # strict clients refuse a list of nobody knows what
    return schema


def _as_meant(value: Any, type_: Any) -> Any:
    while not isinstance(type_, type) and (inner := getattr(type_, "__value__", None)) is not None:
        type_ = inner
    if get_origin(type_) is Annotated:
        return _as_meant(value, get_args(type_)[0])
    origin = get_origin(type_) or type_
    if origin is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if origin in (dict, list) and isinstance(value, str):
        try:
            decoded = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return [word.strip() for word in value.split(",") if word.strip()] if origin is list else value
        return decoded if isinstance(decoded, origin) else value
    return value


def given(**arguments: Any) -> dict[str, Any]:
    """Those that the agent has given: the client has its own defaults for the others."""
    return {name: value for name, value in arguments.items() if value}


def seconds(text: str, what: str, default: float | None = None) -> float | None:
    """The seconds of a duration, a number of seconds too; the default where none is given. Raises: `Problem`."""
    return _read(what, _seconds, text) if text else default


def _seconds(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else duration_s(text)


def when_ns(text: str, what: str) -> int | None:
    """Nanoseconds since 1970 of a time with its zone, None where none is given. Raises: `Problem`."""
    return _read(what, time_ns, text) if text else None


async def place(client: "ClusterClient", text: str, what: str) -> dict[str, Any]:
    """A moment as `ClusterClient.task` takes it, nothing where none is given. Raises: `Problem`, `Unavailable`."""
    return await place_ns(client, _read(what, place_of, text) if text else None)


def past(text: str) -> int | str:
    """A moment as `ClusterClient.at` takes it. Raises: `Problem`."""
    return _read("at", past_place, text)


def _read[T](what: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except (ValueError, OverflowError) as error:
        raise Problem("usage", f"{what}: {error}", _AGAIN) from None
