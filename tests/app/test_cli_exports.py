"""`import clawactors`: cheap, and every public name is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import clawactors

ROOT = str(Path(__file__).parents[2])


@pytest.mark.parametrize("name", clawactors.__all__)
def test_a_public_name_resolves(name: str) -> None:
    assert getattr(clawactors, name) is not None
    assert name in dir(clawactors)


def test_what_users_are_promised_is_public() -> None:
    assert {"Client", "Ref", "Refused", "Retry", "Task", "TaskFailed", "skill"} <= set(clawactors.__all__)


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        clawactors.nosuch  # noqa: B018


def test_importing_it_starts_nothing() -> None:
    code = "import clawactors, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": ROOT}, capture_output=True, check=True, text=True
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("clawactors")} == {"clawactors"}
    assert not loaded & {"asyncio", "msgspec", "nats", "eventlog"}
