"""The options of what is asked of memory: each is known by its type, and none is dropped."""

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from clawactors.kernel.errors import InvalidQuery
from clawactors.memory.process import questions as q
from clawactors.runtime import memoryoptions as m
from clawactors.runtime.client.recording import ClientMemories
from clawactors.runtime.memory import content_of
from clawactors.runtime.memoryoptions import checked
from clawactors.systems.memories import Content

ASKER = set(q.MemoryQuestion.__struct_fields__)


@pytest.mark.parametrize(
    ("options", "fields", "given_apart"),
    [
        (m.NoteOptions, {*Content.__struct_fields__, "key", "at"}, {"text", "tags"}),
        (
            m.RecallOptions,
            {*q.SearchQuestion.__struct_fields__, "since", "until"},
            {"text", "limit", *ASKER} - {"fresh"},
        ),
        (m.ForgetOptions, {*q.ForgetQuestion.__struct_fields__, "since", "until"}, {"id", "ids", *ASKER}),
        (m.ExportOptions, set(q.ExportQuestion.__struct_fields__), {"owner", "after", "limit", *ASKER}),
        (m.SettingsOptions, set(q.SettingsQuestion.__struct_fields__), {"owner", *ASKER}),
        (m.AuditOptions, {*q.AuditQuestion.__struct_fields__, "since"}, {"id", *ASKER}),
        (m.MessageOptions, set(inspect.signature(ClientMemories.say).parameters), {"self", "conversation", "text"}),
    ],
)
def test_the_types_name_all_that_there_is(options: type, fields: set[str], given_apart: set[str]) -> None:
    assert set(options.__annotations__) == fields - given_apart


@pytest.mark.parametrize(
    ("function", "options", "given", "meant"),
    [
        ("remember", m.NoteOptions, "happend_ns", "did you mean 'happened_ns'"),
        ("remember", m.NoteOptions, "date", "did you mean 'at'"),
        ("recall", m.RecallOptions, "top_k", "did you mean 'limit'"),
        ("recall", m.RecallOptions, "onwer", "did you mean 'owner'"),
        ("settings", m.SettingsOptions, "retention", "did you mean 'retention_days'"),
        ("forget", m.ForgetOptions, "frobnicate", "it has agent, dry_run"),
    ],
)
def test_an_option_that_there_is_not_is_an_error_that_names_the_nearest(
    function: str, options: type, given: str, meant: str
) -> None:
    with pytest.raises(TypeError, match=rf"{function}\(\) has no option '{given}'; {meant}"):
        checked(function, {given: 1}, options, "limit")


def test_what_is_remembered_has_no_field_that_is_dropped() -> None:
    with pytest.raises(TypeError, match=r"remember\(\) has no option 'colour'"):
        content_of("a kiln", (), {"colour": "red"})
    with pytest.raises(InvalidQuery, match=r"tags is a list of strings, not one string: write \['kiln'\]"):
        content_of("a kiln", "kiln", {})


@pytest.mark.parametrize("at", [datetime(2026, 5, 1, 9, tzinfo=UTC), "2026-05-01T09:00:00Z", 1_777_626_000_000_000_000])
def test_times_are_given_as_people_have_them(at: Any) -> None:
    assert content_of("a kiln", (), {"at": at}).happened_ns == 1_777_626_000_000_000_000
    assert checked("recall", {"since": at, "until": None}, m.RecallOptions) == {"since_ns": 1_777_626_000_000_000_000}
    with pytest.raises(InvalidQuery, match="zone"):
        checked("recall", {"since": datetime(2026, 5, 1)}, m.RecallOptions)  # noqa: DTZ001
