"""Classes of failures and what is done about each: by the skill's rules, status, exit code, type, text."""

import json
import sqlite3
import subprocess
from typing import Any

import pytest

from clawactors.systems.tasks.failures import CLASSES, STRATEGIES, ErrorRule, Symptom, kind_of, told


class HttpError(Exception):
    """As web clients raise it."""

    def __init__(self, status_code: int) -> None:
        super().__init__(f"status {status_code}")
        self.status_code = status_code


class ValidationError(Exception):
    """As of many a library."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (subprocess.TimeoutExpired("ls", 1), "timeout"),
        (RuntimeError("the request timed out"), "timeout"),
        (HttpError(504), "timeout"),
        (subprocess.CalledProcessError(124, "timeout 1 ls"), "timeout"),
        (MemoryError(), "memory"),
        (RuntimeError("CUDA out of memory"), "memory"),
        (subprocess.CalledProcessError(-9, "big"), "memory"),
        (subprocess.CalledProcessError(137, "big"), "memory"),
        (PermissionError(13, "no"), "permission"),
        (RuntimeError("Access denied for user 'ada'"), "permission"),
        (HttpError(401), "permission"),
        (HttpError(403), "permission"),
        (ConnectionResetError(), "network"),
        (BrokenPipeError(), "network"),
        (sqlite3.OperationalError("database is locked"), "network"),
        (OSError("No route to host"), "network"),
        (HttpError(429), "network"),
        (HttpError(503), "network"),
        (SystemExit(75), "network"),
        (ValueError("the date lies in the past"), "validation"),
        (ValidationError("name is missing"), "validation"),
        (NotImplementedError(), "validation"),
        (NameError("x"), "validation"),
        (HttpError(422), "validation"),
        (json.JSONDecodeError("of an answer", "{", 0), "unknown"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "unknown"),
        (KeyError("choices"), "unknown"),
        (TypeError("None has no length"), "unknown"),
        (AttributeError("none"), "unknown"),
        (SystemExit(3), "unknown"),
        (SystemExit(500), "unknown"),
        (SystemExit("text"), "unknown"),
        (subprocess.CalledProcessError(1, "ls"), "unknown"),
        (RuntimeError("order 403 of 17"), "unknown"),
        (Exception(), "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{type(value).__name__}",
)
def test_a_failure_has_a_class_by_itself(error: BaseException, kind: str) -> None:
    assert kind_of([told(error)]) == (kind, STRATEGIES[kind])


def test_what_an_error_was_raised_from_counts_when_itself_says_nothing() -> None:
    assert kind_of([told(RuntimeError("no rows")), told(ConnectionRefusedError())])[0] == "network"
    assert kind_of([told(MemoryError()), told(ConnectionRefusedError())])[0] == "memory"


RULES = (
    ErrorRule(kind="quota", text=r"quota .* used up", strategy="ask"),
    ErrorRule(kind="network", exception=KeyError, text="choices"),
    ErrorRule(kind="licence", exit_code=42, strategy="give_up"),
    ErrorRule(kind="odd", exception="HttpError"),
    ErrorRule(kind="timeout", exception="sqlite3.OperationalError", strategy="here"),
)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RuntimeError("the Quota of ada is used up"), ("quota", "ask")),
        (KeyError("choices"), ("network", "back_off")),
        (KeyError("other"), ("unknown", "here")),
        (subprocess.CalledProcessError(42, "x"), ("licence", "give_up")),
        (HttpError(503), ("odd", "here")),
        (sqlite3.OperationalError("no such table"), ("timeout", "here")),
    ],
    ids=repr,
)
def test_the_rules_of_a_skill_come_first(error: BaseException, verdict: tuple[str, str]) -> None:
    assert kind_of([told(error)], RULES) == verdict


def test_a_name_of_a_class_fits_as_a_whole() -> None:
    assert not ErrorRule(kind="odd", exception="Error").fits(told(ValueError()))
    assert ErrorRule(kind="odd", exception="builtins.ValueError").fits(told(ValueError()))
    assert ErrorRule(kind="odd", exception="Exception").fits(told(ValueError()))


def test_an_error_that_can_not_say_what_it_is_has_a_class_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert kind_of([told(Mute())]) == ("unknown", "here")
    assert kind_of([Symptom(())]) == ("unknown", "here")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "two words", "text": "x"}, "no error class"),
        ({"kind": "quota"}, "a rule has a condition"),
        ({"kind": "quota", "text": "("}, "no regular expression"),
        ({"kind": "quota", "text": "x", "strategy": "hope"}, "'hope' is none of here"),
    ],
)
def test_what_is_no_rule_is_told_at_once(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ErrorRule(**wrong)


def test_a_rule_is_told_in_a_line_and_every_class_names_its_exceptions() -> None:
    rule = ErrorRule(kind="quota", exception=ValueError, text="used .* up", strategy="ask")
    assert str(rule) == "ValueError and text 'used .* up': quota, ask"
    assert str(ErrorRule(kind="network", exit_code=3)) == "exit code 3: network, back_off"
    assert CLASSES.keys() == STRATEGIES.keys()
    assert CLASSES["timeout"].startswith("TimeoutError, TimeoutExpired")
    assert CLASSES["validation"].endswith("ValueError itself")
