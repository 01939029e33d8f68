"""Any exception at all is classified and shown, bounded; the place and the traceback are the user's."""

import asyncio
import json
import pickle
from typing import Any, Never

import pytest

from clawactors import ErrorRule, Refused, TaskBlocked, TaskFailed, skill
from clawactors import Task as Handle
from clawactors.runtime.node.errortext import TRACEBACK_MAX, message_of, traceback_of
from clawactors.runtime.node.failure import classify
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.sleep import seconds_of
from clawactors.runtime.output import LOG
from tests.clawactors.runtime.cluster import Cluster, Stage


class Prickly(Exception):
    """Raises at every touch."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __repr__(self) -> str:
        raise SystemExit(3)

    @property
    def status_code(self) -> Never:
        raise KeyboardInterrupt

    @property
    def returncode(self) -> Never:
        raise LookupError

    @property
    def __notes__(self) -> Never:
        raise OSError


def nested(levels: int) -> BaseException:
    error: Exception = ConnectionResetError("innermost")
    for _ in range(levels):
        error = ExceptionGroup("level", [error])
    return error


def cyclic() -> BaseException:
    one, two = RuntimeError("one"), ConnectionError("two")
    one.__cause__, two.__cause__ = two, one
    return one


def wide() -> BaseException:
    return ExceptionGroup("wide", [RuntimeError("x" * 1000) for _ in range(100_000)])


def deep() -> BaseException:
    def again(level: int) -> None:
        again(level + 1)

    try:
        again(0)
    except RecursionError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (Prickly(), "unknown", "its text can't be shown"),
        (nested(3000), "network", "innermost"),
        (cyclic(), "network", "two"),
        (RuntimeError("m" * 10_000_000), "unknown", "mmm"),
        (wide(), "unknown", "member 10 of 1000"),
        (deep(), "unknown", "in again"),
        (ExceptionGroup("of prickly ones", [Prickly(), Prickly()]), "unknown", "member 2 of 2"),
    ],
    ids=["prickly", "nested", "cyclic", "huge", "wide", "deep", "group"],
)
def test_any_exception_is_classified_and_shown_within_bounds(error: BaseException, kind: str, text: str) -> None:
    failure, _ = classify(error)
    assert failure.kind == kind
    assert text in failure.traceback
    assert len(failure.message) <= 2000
    assert len(failure.traceback) <= TRACEBACK_MAX + 100


async def test_the_message_of_a_group_names_its_first_member_and_the_line_of_the_user() -> None:
    async def refuse() -> None:
        seconds_of("soon")

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(refuse())
            group.create_task(refuse())

    with pytest.raises(ExceptionGroup) as raised:
        await both()
    message = message_of(raised.value)
    assert "(2 sub-exceptions): clawactors.Refused: 'soon' is not a valid duration" in message
    assert message.endswith(f"(test_errortext.py:{refuse.__code__.co_firstlineno + 1})")


def test_what_is_refused_before_the_users_code_runs_shows_no_lines_of_ours() -> None:
    with pytest.raises(Refused) as refused:
        seconds_of("soon")
    bare = refused.value.with_traceback(refused.tb.tb_next)  # as where no code of the user stands above it
    assert message_of(bare).endswith("2h or 7d")
    assert "sleep.py" not in traceback_of(bare)


async def test_an_exception_that_raises_at_every_touch_follows_the_policy_of_its_skill(stage: Stage) -> None:
    @skill("prickly")
    async def prickly(task: Handle) -> None:
        raise Prickly

    life = (await stage.run(prickly)).life
    assert (life.status, life.waiting_for, life.failures) == ("waiting", "retry", 1)
    assert life.error is not None
    assert "Prickly" in life.error.message


def read(text: str) -> Any:
    return json.loads(text)  # HERE


async def test_the_place_is_the_users_line_and_the_traceback_begins_with_it(stage: Stage) -> None:
    @skill("reads")
    async def reads(task: Handle, text: str) -> Any:
        try:
            return await task.step("read", read, text)
        except ValueError as error:
            raise LookupError("nothing to read") from error

    error = (await stage.run(reads, {"text": "{"})).life.error
    assert error is not None
    lines = error.traceback.splitlines()
    assert error.message.startswith("LookupError: nothing to read (test_errortext.py:")
    assert __file__ in lines[1]
    assert not [line for line in lines if "clawactors/runtime" in line and "tests/" not in line]
    assert any("caused by: " in line for line in lines)
    assert any("return json.loads(text)  # HERE" in line for line in lines)
    assert "json.decoder.JSONDecodeError" in error.traceback
    with pytest.raises(json.JSONDecodeError) as caught:
        read("{")
    assert "(test_errortext.py:" in classify(caught.value)[0].message


def test_public_classes_are_shown_by_their_public_names() -> None:
    assert classify(Refused("no"))[0].message == "clawactors.Refused: no"


async def test_the_traceback_is_told_by_the_log_the_row_and_the_client_without_secrets() -> None:
    @skill("leaks", secrets=["token"])
    async def leaks(task: Handle) -> None:
        raise ValueError(f"wrong token {task.secret('token')}")

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [leaks], secrets=Secrets({"token": "a-very-secret-token"}))
        client = cluster.client()
        with pytest.raises(TaskFailed) as failed:
            await client.run("leaks", id="t", wait_s=10)
        assert "raise ValueError" in failed.value.traceback
        assert failed.value.traceback.rstrip() in str(failed.value)
        row = await client.task("t")
        assert row.error is not None
        assert row.error.traceback == failed.value.traceback
        logged = [chunk.value async for chunk in client.ref("t").stream(LOG, live=False)]
        assert [each["level"] for each in logged] == ["error"]
        assert "ValueError: wrong token ***" in logged[0]["text"]
        told = str(failed.value) + row.error.traceback + str(logged)
        assert "a-very-secret-token" not in told


def test_an_error_that_is_final_by_its_class_says_so_and_how_to_change_that() -> None:
    failure, strategy = classify(ValueError("of a library"))
    assert strategy == "give_up"
    assert (
        "not retried, being of class `validation`: @skill(errors=[ErrorRule(exception='ValueError'" in failure.message
    )
    chosen = ErrorRule(kind="validation", exception=ValueError)
    assert "not retried" not in classify(ValueError("by choice"), [chosen])[0].message
    assert "not retried" not in classify(Refused("ours"))[0].message


async def test_who_awaits_a_task_that_becomes_blocked_is_told_and_may_go_on_once_it_is_retried() -> None:
    @skill("locked")
    async def locked(task: Handle) -> int:
        if task.attempt == 1:
            raise PermissionError("ask Ada for the key")
        return task.attempt

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [locked])
        client = cluster.client()
        await client.submit("locked", id="t")
        ended = asyncio.ensure_future(anext(aiter(client.ended(["t"]))))
        with pytest.raises(TaskBlocked, match="ask Ada for the key") as blocked:
            await client.run("locked", id="t")
        assert blocked.value.id == "t"
        with pytest.raises(TaskBlocked):
            await client.ref("t").result()
        with pytest.raises(TaskBlocked):
            await cluster.client().ref("t").result()
        assert not ended.done()
        await client.retry("t")
        assert await client.ref("t").result(10) == 2
        assert await ended == "t"


def test_what_users_import_is_shown_by_the_name_by_which_they_import_it() -> None:
    assert repr(Handle) == "<class 'clawactors.TaskContext'>"
    assert repr(TaskFailed) == "<class 'clawactors.TaskFailed'>"
    assert pickle.loads(pickle.dumps(TaskFailed)) is TaskFailed  # noqa: S301
