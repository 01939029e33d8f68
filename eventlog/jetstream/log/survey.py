"""What is wrong with the streams of a running cluster, compared with what this release makes; and its repair.

1. A setting that is not named counts too: events that expire are lost history.
2. The stream of events is never made again here: an empty one would hide that the log is gone.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from clawactors.eventlog.jetstream.log.streams import EVENTS, SCHEMA, Store

__all__ = ["StreamFault", "differing", "faults_of", "is_ours"]

_LEAST_RESERVED_BYTES: Final = 1 << 20
_UNSAID: Final[dict[str, Any]] = {
    "retention": "limits",
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0,
    "max_msgs_per_subject": -1,
    "max_msg_size": -1,
    "max_consumers": -1,
    "discard": "old",
    "sealed": False,
    "deny_delete": False,
    "deny_purge": False,
    "no_ack": False,
    "allow_rollup_hdrs": False,
    "allow_msg_schedules": False,
    "discard_new_per_subject": False,
    "mirror": None,
    "sources": None,
    "subject_transform": None,
}
"""What a stream has where its description says nothing."""
_NOT_COMPARED: Final = ("name", "metadata", "subjects", "num_replicas")
_BY_CHOICE: Final = {"CLAW_OUTPUT": ("max_age", "max_bytes"), "CLAW_DEAD": ("max_age", "max_bytes")}
"""How much of what is no history is stored may be chosen; it is told all the same."""


class StreamFault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a stream; `is_choice` where a person may want it so."""

    stream: str
    text: str
    is_choice: bool = False

    def __str__(self) -> str:
        return f"{self.stream} {self.text}"


def faults_of(store: Store, config: Store | None) -> Iterator[StreamFault]:
    """What is wrong with a stream of that configuration, None for one that is missing."""
    name = store["name"]
    if config is None:
        lost = ", and the history of the cluster with it: claw restore brings a backup back" if name == EVENTS else ""
        yield StreamFault(name, f"is missing{lost}")
        return
    if not is_ours(config):
        yield StreamFault(name, f"was not made by claw: it lacks the metadata claw.schema = {SCHEMA}")
    if missing := [subject for subject in store["subjects"] if subject not in config.get("subjects", ())]:
        yield StreamFault(name, f"lacks the subjects {', '.join(missing)}")
    if (have := config.get("num_replicas", 1)) < store["num_replicas"]:
        yield StreamFault(name, f"has {have} replicas where {store['num_replicas']} are possible", is_choice=True)
    for key, (is_now, needed) in differing(store, config).items():
        text = f"has {key} = {_shown(key, is_now)} where {_shown(key, needed)} is needed"
        yield StreamFault(name, text, is_choice=key in _BY_CHOICE.get(name, ()))


def is_ours(config: Store) -> bool:
    """True for a stream that a release of ours made."""
    return "claw.schema" in config.get("metadata", {})


def differing(store: Store, config: Store) -> dict[str, tuple[Any, Any]]:
    """`setting: (what it is, what is needed)` of a stream; subjects and replicas are not settings."""
    found = {}
    for key, needed in (_UNSAID | store).items():
        is_now = config.get(key, _UNSAID.get(key, False))
        if key in _NOT_COMPARED or is_now == needed:
            continue
        # A small disk or account gets smaller stores.
        if key == "max_bytes" and needed > 0 and _LEAST_RESERVED_BYTES // 2 <= is_now <= needed:
            continue
        found[key] = (is_now, needed)
    return found


def _shown(key: str, value: Any) -> str:
    if key in ("max_age", "duplicate_window") and value:
        return f"{value / 1e9:g} s"
    return repr(value)
