"""A request as users write it, made a `Spec`: names for priorities, checks that need no log.

1. A spec is what the log will give back: whatever JSON would change is changed, whatever it can't hold is refused.
2. Two specs are the same when the log would tell them alike: `1` is not `True`, the order of keys says nothing.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import is_id
from clawactors.eventlog.numbers import unfit_number
from clawactors.kernel.errors import Refused
from clawactors.systems.tasks.events import OnDead, Spec
from clawactors.systems.tasks.jsonvalues import encode, to_json, unfit_key, why_unfit
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, Large, is_reference

__all__ = [
    "ON_DEAD",
    "PRIORITIES",
    "TYPES",
    "as_stored",
    "checked_id",
    "checked_spec",
    "checked_time",
    "delayed",
    "difference",
    "in_words",
    "is_number",
    "priority_of",
    "spec_of",
]

PRIORITIES: Mapping[str, int] = {"low": 1, "normal": 2, "high": 3, "urgent": 4}
ON_DEAD = ("block", "fail", "run")
TYPES = ("single", "batch", "scheduled", "workflow")

_NAME_MAX = 128
_LONGEST_S = 100 * 365 * 86_400.0
_DEPTH_MAX = 100
_DIFFERENT: Final = {
    "params": "different parameters",
    "requires": "different requirements",
    "prefers": "different preferences",
    "tags": "different tags",
    "metadata": "different metadata",
    "after": "different predecessors",
    "on_dead": "a different policy for dead predecessors",
    "not_before_ns": "a different start",
    "deadline_ns": "a different deadline",
    "timeout_s": "a different timeout",
    "max_retries": "a different number of retries",
    "fork_of": "a different source",
    "fork_step": "a different step to fork from",
    "parent": "a different parent",
    "on_parent_cancel": "a different policy for a cancelled parent",
    "parent_run": "a different run of its parent",
}
"""What a repeat may differ in, as people say it; other fields are said by their names."""
_canonical = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Spec).decode


def priority_of(priority: str | int) -> int:
    """1 to 4 from a number or a name. Raises `Refused`."""
    value = PRIORITIES.get(priority, 0) if isinstance(priority, str) else priority
    if type(value) is not int or value not in PRIORITIES.values():
        raise Refused(f"priority {priority!r} is none of {', '.join(PRIORITIES)}")
    return value


def checked_id(id: object, what: str = "id") -> str:
    """The id itself. Raises `Refused` when it is none."""
    if not (isinstance(id, str) and is_id(id)):
        raise Refused(f"{_shown(id)} is no {what}: 1 to 128 letters, digits, '-' or '_'")
    return id


def checked_time(value: object, what: str) -> int:
    """The time itself, ns since 1970. Raises `Refused` when it is none."""
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise Refused(f"{what} is a time in nanoseconds since 1970, not {_shown(value)}")
    return value


def spec_of(
    skill: str,
    params: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    description: str = "",
    user: str = "",
    type: str = "single",
    priority: str | int = "normal",
    requires: Iterable[str] = (),
    prefers: Iterable[str] = (),
    affinity: Mapping[str, str] | None = None,
    tags: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    after: Iterable[str] = (),
    on_dead: OnDead = "block",
    not_before_ns: int = 0,
    deadline_ns: int = 0,
    timeout_s: float | None = None,
    max_retries: int | None = None,
) -> Spec:
    """The task's spec, with all checks that need neither log nor nodes. Raises `Refused`."""
    if type not in TYPES:
        raise Refused(f"type {_shown(type)} is none of {', '.join(TYPES)}")
    if timeout_s is not None and not (is_number(timeout_s) and 0 < timeout_s < math.inf):
        raise Refused("a timeout is a number of seconds, more than 0")
    if on_dead not in ON_DEAD:
        raise Refused(f"on_dead {_shown(on_dead)} is none of {', '.join(ON_DEAD)}")
    if deadline_ns and deadline_ns <= not_before_ns:
        raise Refused("the deadline comes before the start")
    if isinstance(max_retries, int) and max_retries < 0:
        raise Refused("retries are 0 or more")
    return as_stored(
        Spec(
            skill=_skill(skill),
            params=_mapping(params, "params"),
            name=name,
            description=description,
            user=user,
            type=type,
            priority=priority_of(priority),
            requires=tuple(_skill(each) for each in _many(requires, "requires")),
            prefers=tuple(_skill(each) for each in _many(prefers, "prefers")),
            affinity=_mapping(affinity, "affinity"),
            tags=_many(tags, "tags"),
            metadata=_mapping(metadata, "metadata"),
            after=tuple(checked_id(each, "task id") for each in _many(after, "after")),
            on_dead=on_dead,
            not_before_ns=checked_time(not_before_ns, "a start"),
            deadline_ns=checked_time(deadline_ns, "a deadline"),
            timeout_s=timeout_s,
            max_retries=max_retries,
        )
    )


def checked_spec(spec: Spec) -> Spec:
    """A spec that another program has written, held to what `spec_of` holds its own to. Raises `Refused`."""
    if spec.timeout_s is not None and not 0 < spec.timeout_s < math.inf:
        raise Refused("a timeout is a number of seconds, more than 0")
    if spec.type not in TYPES:
        raise Refused(f"type {_shown(spec.type)} is none of {', '.join(TYPES)}")
    if 0 < spec.deadline_ns <= spec.not_before_ns:
        raise Refused("the deadline comes before the start")
    for skill in (spec.skill, *spec.requires, *spec.prefers):
        _skill(skill)
    for id in spec.after:
        checked_id(id, "task id")
    if spec.parent:
        checked_id(spec.parent, "id of a parent")
    if spec.params or spec.metadata:
        _refuse_deep([spec.params, spec.metadata])
    return spec


def delayed(spec: Spec, delay_s: float, now_ns: int) -> Spec:
    """The task, to start so many seconds after that time. Raises `Refused`."""
    if not (is_number(delay_s) and 0 <= delay_s < _LONGEST_S):
        raise Refused(f"a delay is a number of seconds, 0 or more, not {_shown(delay_s)}")
    if spec.not_before_ns:
        raise Refused("give a delay or a start, not both")
    start_ns = now_ns + int(delay_s * 1e9)
    if spec.deadline_ns and spec.deadline_ns <= start_ns:
        raise Refused("the deadline comes before the start")
    return replace(spec, not_before_ns=start_ns)


def as_stored(spec: Spec) -> Spec:
    """The spec as the log gives it back. Raises `Refused` where the log could not hold it.

    Parameters that must not be in an event as they are come back as `Large`.
    """
    try:
        encoded = encode(spec)
        stored = _decode(encoded)
        _refuse_deep([stored.params, stored.metadata])
        given = [spec.params, spec.metadata]
        unfit = unfit_number(given, encoded, to_json=to_json) or unfit_key(given, [stored.params, stored.metadata])
    except (TypeError, ValueError, OverflowError, RecursionError) as error:  # of msgspec too
        why = why_unfit([spec.params, spec.metadata], error)
        raise Refused(f"this can't be written as a task: {why}") from None
    if unfit:
        raise Refused(f"this can't be written as a task: {unfit}")
    if len(encoded) > INLINE_MAX_BYTES or is_reference(stored.params):
        return replace(stored, params=Large(stored.params))
    return stored


def difference(stored: Spec, wished: Spec) -> str | None:
    """The first field in which they differ once both are in the log, None where there is none. Raises `Refused`.

    `type` says how the request came, `recalled` where its words may come from, not what is asked for.
    """
    wished = as_stored(wished)
    fields = [field for field in Spec.__struct_fields__ if field not in ("type", "recalled")]
    return next((it for it in fields if _canonical(getattr(stored, it)) != _canonical(getattr(wished, it))), None)


def in_words(field: str) -> str:
    """A field that `difference` found, as in "the task exists with different parameters"."""
    return _DIFFERENT.get(field) or f"a different {field}"


def _refuse_deep(level: list[Any]) -> None:
    """What can just be decoded here could not be by a reader with less stack."""
    for _ in range(_DEPTH_MAX):
        inner = [part for whole in level for part in (whole.values() if isinstance(whole, dict) else whole)]
        level = [part for part in inner if isinstance(part, dict | list)]
        if not level:
            return
    raise Refused(f"this can't be written as a task: values are nested deeper than {_DEPTH_MAX}")


def _skill(name: object) -> str:
    if not (isinstance(name, str) and 0 < len(name) <= _NAME_MAX and name.isprintable()):
        raise Refused(f"{_shown(name)} is no name of a skill: 1 to {_NAME_MAX} printable characters")
    return name


def _many(value: object, what: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise Refused(f"{what} is a list of strings, not {_shown(value)}")
    return tuple(value)


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, Mapping | None):
        raise Refused(f"{what} is an object with named values, not {_shown(value)}")
    return dict(value or {})


def is_number(value: object) -> bool:
    """True for a number that is none of True and False."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # what it raises is its own business
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 42 else f"{text[:41]}…"
