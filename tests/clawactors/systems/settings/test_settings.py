"""The rules of settings, as sentences; `tests/clawactors/runtime/test_settings.py` shows that each takes effect."""

from typing import Any, get_type_hints

import msgspec
import pytest

from clawactors.eventlog import Misconfigured
from clawactors.kernel.errors import Refused
from clawactors.systems.settings import DEFAULTS, REGISTRY, SETTING, Settings
from clawactors.systems.settings import commands as c
from clawactors.systems.settings import events as e
from clawactors.systems.settings.values import checked_name, checked_value, effective, own_check, shown
from tests.spec import spec

given = spec(SETTING)
DAY = 86_400.0


def change(if_version: int | None = None, **more: Any) -> c.ChangeSettings:
    """`archive_after="7d"` sets `archive.after`."""
    named = {name.replace("_", ".", 1): value for name, value in more.items()}
    return c.ChangeSettings(changes=named, if_version=if_version)


def changed(**more: Any) -> e.SettingsChanged:
    """The same as what happened."""
    return e.SettingsChanged(changes={name.replace("_", ".", 1): value for name, value in more.items()})


def test_what_people_write_is_recorded_as_values() -> None:
    given().when(change(archive_after="7d", memory_extracts="off", node_parked="20")).then(
        changed(archive_after=7 * DAY, memory_extracts=False, node_parked=20)
    )


def test_to_set_what_is_set_is_quiet_and_to_set_the_default_is_not() -> None:
    given(changed(archive_after=7 * DAY)).when(change(archive_after="7d"), change(archive_after=604_800)).quietly()
    given().when(change(archive_after="30d")).then(changed(archive_after=30 * DAY))


def test_a_commit_is_one_version_and_unset_takes_back_the_default() -> None:
    settings = given(changed(archive_after=DAY, node_slots=9), changed(node_slots=None)).state
    assert settings.version == 2
    assert settings.values == {"archive.after": DAY}
    assert [settings.entries[name].version for name in ("archive.after", "node.slots")] == [1, 2]
    given(changed(node_slots=9)).when(change(node_slots=None)).then(changed(node_slots=None))
    given().when(change(node_slots=None)).quietly()


def test_a_guard_holds_for_the_settings_that_are_named() -> None:
    history = changed(archive_after=DAY), changed(node_slots=9), changed(archive_after=2 * DAY)
    given(*history).when(change(2, archive_after="3d")).refused("archive.after has changed since version 2")
    given(*history).when(change(2, node_slots=8)).then(changed(node_slots=8))
    given(*history).when(change(3, archive_after="3d")).then(changed(archive_after=3 * DAY))
    given(*history).when(change(0, node_parked=8)).then(changed(node_parked=8))
    given(*history).when(change(4, node_slots=8)).refused("at version 3: there is no 4")


def test_all_or_nothing() -> None:
    given().when(change(archive_after="7d", node_slots="many")).refused("node.slots can't be 'many'")
    given().when(c.ChangeSettings(changes={})).refused("no setting is named")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("archive.afer", "did you mean archive.after?"),
        ("archive_after", "did you mean archive.after?"),
        ("ARCHIVE.AFTER", "did you mean archive.after?"),
        ("retries", "did you mean task.retries?"),
        ("", "config list"),
        ("x" * 100_000, "config list"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(Refused, match="there is no setting") as refusal:
        checked_name(name)
    assert meant in str(refusal.value)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("name", ["smtp.password", "openai_api_key", "TOKEN", "web.secret", "aws.access-key"])
def test_a_secret_is_no_setting_and_the_reason_says_where_it_goes(name: str) -> None:
    with pytest.raises(Refused, match=r"--secrets.*CLAW_SECRET_NAME") as refusal:
        checked_name(name)
    assert "did you mean" not in str(refusal.value)


SECRET = "sk-proj-" + "a1B2" * 8


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"/backups/{SECRET}",
        "/mnt/ghp_" + "x" * 36,
        "the password=hunter2 is new",
        "-----BEGIN RSA PRIVATE KEY-----",
        "see https://ada:hunter2@example.org/",
        "AKIA" + "Q" * 16,
    ],
)
def test_what_looks_like_a_secret_is_refused_as_a_value_and_as_a_reason_and_never_repeated(text: str) -> None:
    for command in (
        c.ChangeSettings(changes={"backup.folder": f"/{text}"}),
        c.ChangeSettings(changes={"node.slots": 3}, reason=text),
    ):
        with pytest.raises(Refused, match="secret") as refusal:
            SETTING.decide(command, SETTING.initial)
        assert text not in str(refusal.value)


@pytest.mark.parametrize("text", ["/backups/token-ring", "/srv/secrets-of-the-sea", "rotate the tokens", "keys: 5"])
def test_words_are_no_secrets(text: str) -> None:
    command = c.ChangeSettings(changes={"node.slots": 3}, reason=text)
    assert SETTING.decide(command, SETTING.initial)


GARBAGE = ("", " ", "x", "1e9", "٣", "0x10", "-1", "1_000", "nan", "inf", "9" * 5000, [], {}, [1], {"a": 1}, -1, 1e300)


@pytest.mark.parametrize("name", REGISTRY)
def test_garbage_is_refused_with_what_would_do(name: str) -> None:
    setting = REGISTRY[name]
    for value in (*GARBAGE, float("nan"), float("inf"), 2**70):
        if setting.type in ("folder", "weights") and value == "":
            continue
        with pytest.raises(Refused, match=rf"^{name} can't be .*: use ") as refusal:
            checked_value(setting, value)
        assert len(str(refusal.value)) < 250


@pytest.mark.parametrize("name", REGISTRY)
def test_a_value_that_was_checked_is_json_and_stays_what_it_is(name: str) -> None:
    setting = REGISTRY[name]
    ends = (setting.least, setting.most) if setting.type in ("duration", "number") else ()
    for value in (setting.default, *ends, *setting.choices):
        once = checked_value(setting, value)
        assert checked_value(setting, msgspec.json.decode(msgspec.json.encode(once))) == once
        assert type(once) is type(setting.default)
        assert checked_value(setting, shown(setting, once)) == once, "what is shown can be set"


def test_never_is_written_as_a_word_and_no_time_at_all_is_a_mistake() -> None:
    setting = REGISTRY["archive.after"]
    assert [checked_value(setting, word) for word in ("off", "never", " OFF ", 0)] == [0.0] * 4
    for mistake in ("0s", "0d", "0", False):
        with pytest.raises(Refused):
            checked_value(setting, mistake)


@pytest.mark.parametrize(
    ("name", "value"),
    [("archive.after", "30"), ("archive.after", "30 days"), ("backup.keep", 0), ("memory.extracts", "disabled")],
)
def test_what_peers_take_for_something_is_refused(name: str, value: object) -> None:
    """A number without a unit, no backup to keep, a word that is no flag."""
    with pytest.raises(Refused, match="can't be"):
        checked_value(REGISTRY[name], value)


def test_the_registry_says_all_that_people_ask() -> None:
    assert list(REGISTRY) == sorted(REGISTRY)
    assert {setting.field for setting in REGISTRY.values()} == set(get_type_hints(Settings))
    for setting in REGISTRY.values():
        assert setting.meaning
        assert getattr(DEFAULTS, setting.field) == setting.default == checked_value(setting, setting.default)
        assert bool(setting.unit) == (setting.type in ("duration", "number")), setting.name


def test_what_a_later_release_has_set_changes_nothing_here_and_can_be_unset() -> None:
    later = e.SettingsChanged(changes={"of.later": [1], "node.slots": "as many as fit", "archive.after": DAY})
    settings = given(later).state
    usable, unfit = effective(settings.values)
    assert usable == msgspec.structs.replace(DEFAULTS, archive_after=DAY)
    assert set(unfit) == {"of.later", "node.slots"}
    given(later).when(c.ChangeSettings(changes={"of.later": None})).then(e.SettingsChanged(changes={"of.later": None}))
    given(later).when(c.ChangeSettings(changes={"of.later": 2})).refused("there is no setting 'of.later'")


def test_what_a_process_is_given_names_its_source_when_it_is_wrong() -> None:
    with pytest.raises(Misconfigured, match=r"^CLAW_SETTING_NODE_SLOTS: node.slots can't be 'x'"):
        own_check("node.slots", "x", "CLAW_SETTING_NODE_SLOTS")
