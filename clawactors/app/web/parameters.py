"""What several paths take: parameters by name, and how they are read."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Unpack

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter

from clawactors.app.places import past_place, place_ns
from clawactors.app.web.problems import HttpProblem
from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.time import duration_s, place_of, time_ns, time_through
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.listing import TaskFilters
from clawactors.runtime.client.past import PastCluster

__all__ = [
    "At",
    "Claw",
    "Cursor",
    "Flag",
    "Fresh",
    "IfMatch",
    "IfNoneMatch",
    "InPath",
    "Key",
    "Limit",
    "Number",
    "Owner",
    "Prefer",
    "Several",
    "TaskSelection",
    "Text",
    "Time",
    "Until",
    "as_of",
    "check_user",
    "given_of",
    "moment",
    "place",
    "seconds",
    "task_selection",
    "until",
    "wait_of",
    "words",
]

Claw = NamedDependency[ClusterClient]
"""The client that acts for who asks."""
InPath = FromPath[str]
Text = FromQuery[str]
Flag = FromQuery[bool]
Number = FromQuery[int | None]
Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="the most rows of the page")]
Cursor = Annotated[str, QueryParameter(description="`cursor` of the page before")]
Fresh = Annotated[bool, QueryParameter(description="waits until the answer holds all that is in the log now")]
At = Annotated[
    str,
    QueryParameter(
        description="a past moment: a sequence of the log, a time (ISO 8601 with zone), or a time ago as in `-2h`"
    ),
]
Time = Annotated[str, QueryParameter(description="a time, ISO 8601 with its zone")]
Until = Annotated[str, QueryParameter(name="until", description="a time, ISO 8601 with its zone")]
"""The same for a function that calls `until` with it."""
Owner = Annotated[str, QueryParameter(description="whose; by default the user who asks, or everybody")]
Several = Annotated[list[str] | None, QueryParameter(description="one or several, repeated or as in `a,b`")]
IfMatch = Annotated[
    str, HeaderParameter(name="If-Match", description="the `ETag` of what is changed; 412 where it has another by now")
]
IfNoneMatch = Annotated[
    str, HeaderParameter(name="If-None-Match", description="an `ETag` that is known; 304 where it still holds")
]
Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        max_length=255,
        description="the same key and content again change nothing more, and are answered alike",
    ),
]
Prefer = Annotated[
    str,
    HeaderParameter(name="Prefer", description="`wait=10`: answers when the task has ended, after 10 s at the latest"),
]

WAIT_MAX_S: Final = 300.0
_WAIT: Final = re.compile(r"(?:^|[,;\s])wait=(\d{1,6}(?:\.\d{1,3})?)(?=$|[,;\s])")


def words(given: list[str] | None) -> list[str]:
    """The words of a parameter that may be repeated, and may hold several as `a,b`."""
    return [word.strip() for each in given or () for word in each.split(",") if word.strip()]


def _read[T](name: str, read: Callable[[str], T], text: str) -> T | None:
    try:
        return read(text) if text else None
    except (ValueError, OverflowError) as error:
        raise InvalidQuery(f"{name}: {error}") from None


def moment(name: str, text: str) -> int | None:
    """A time, ns since 1970; None for ''. Raises: `InvalidQuery` that names the parameter."""
    return _read(name, time_ns, text)


def until(name: str, text: str) -> int | None:
    """The same, to the end of its microsecond."""
    return _read(name, time_through, text)


def seconds(name: str, text: str) -> float | None:
    """Seconds of a duration as in `30s`, None for ''. Raises: `InvalidQuery` that names the parameter."""
    return _read(name, duration_s, text)


async def place(claw: ClusterClient, name: str, text: str) -> dict[str, Any]:
    """A moment as `ClusterClient.task` takes it, nothing for ''. Raises: `InvalidQuery`, `Unavailable`."""
    return await place_ns(claw, _read(name, place_of, text))


def as_of(claw: ClusterClient, at: str) -> ClusterClient | PastCluster:
    """The client that reads the past at that moment, or the present for ''. Raises: `InvalidQuery`."""
    found = _read("at", past_place, at)
    return claw if found is None else claw.at(found)


def given_of(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that a body has: without those that are `UNSET`, its default for what may be left out."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}


def check_user(claw: ClusterClient, user: Any) -> None:
    """Raises: `HttpProblem` (403) where a key for one user names another, whose memories its task would see."""
    if claw.user and isinstance(user, str) and user not in ("", claw.user):
        raise HttpProblem(
            403,
            "forbidden",
            f"this key acts for {claw.user!r}, not for {user[:60]!r}",
            "leave the user out, or use a key for that user",
        )


def wait_of(prefer: str) -> float | None:
    """The seconds that a header `Prefer` asks to wait, 300 at most."""
    found = _WAIT.search(prefer)
    return min(float(found[1]), WAIT_MAX_S) if found else None


class TaskSelection:
    """What tasks are selected by, as the client takes it."""

    def __init__(self, **wanted: Unpack[TaskFilters]) -> None:
        self.wanted = wanted


def task_selection(
    status: Several = None,
    node: Text = "",
    user: Text = "",
    skill: Text = "",
    tag: Text = "",
    parent: Text = "",
    error: Annotated[str, QueryParameter(description="class of the last error, as in `timeout`")] = "",
    interrupted: Annotated[bool, QueryParameter(description="whose last attempts were cut short")] = False,
    text: Annotated[
        str, QueryParameter(description="words of the name or the last error, `conn*` for a beginning")
    ] = "",
    silent: Annotated[str, QueryParameter(description="running, and not heard of for so long, as in `5m`")] = "",
    since: Time = "",
    until: Time = "",
) -> TaskSelection:
    """The filter of tasks, of the parameters of a request. Raises: `InvalidQuery`."""
    return TaskSelection(
        status=words(status),
        node=node,
        user=user,
        skill=skill,
        tag=tag,
        parent=parent,
        error=error,
        interrupted=interrupted,
        text=text,
        silent_s=seconds("silent", silent),
        since=moment("since", since),
        until=_read("until", time_through, until),
    )
