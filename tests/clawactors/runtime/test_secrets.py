"""Secrets stay on their node: code gets them, nothing that is on record or said has them."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from clawactors.app.secretfile import read_secrets
from clawactors.eventlog import Misconfigured
from clawactors.runtime.node.capture import captured
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.secrets import HIDDEN, Secrets
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.skills import skill
from tests.clawactors.runtime.cluster import Cluster, Stage
from tests.clawactors.runtime.test_output import log_of, said

VALUE = 'sk-"quoted\\slash'
HELD = Secrets({"openai": VALUE})


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.secrets = HELD
    return stage


@skill("uses", secrets=["openai"])
async def uses(task: TaskContext, how: str) -> Any:
    """Does with its secret what it should not."""
    secret = task.secret("openai")
    match how:
        case "length":
            return len(secret)
        case "result":
            return {"key": f"it is {secret}"}
        case "step":
            return await task.step("leak", str, secret)
        case "raise":
            raise PermissionError(f"{secret} was refused: {secret!r}")
        case "step-raise":

            async def call() -> None:
                raise PermissionError(f"{secret} was refused")

            await task.step("call", call)
        case "say":
            print("key:", secret)
            logging.getLogger("mine").warning("key %s", secret)
            await task.emit({"key": secret})
        case "other":
            task.secret("not-asked-for")
    return None


async def test_code_gets_what_its_skill_asks_for(stage: Stage) -> None:
    assert (await stage.run(uses, {"how": "length"})).life.result == len(VALUE)


async def test_a_secret_that_the_skill_does_not_ask_for_is_refused(stage: Stage) -> None:
    task = await stage.run(uses, {"how": "other"})
    assert task.life.error is not None
    assert "asks for no secret 'not-asked-for'" in task.life.error.message


@pytest.mark.parametrize("how", ["result", "step"])
async def test_a_result_that_holds_it_is_refused(stage: Stage, how: str) -> None:
    task = await stage.run(uses, {"how": how})
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert "returned its secret 'openai'" in task.life.error.message


@pytest.mark.parametrize("how", ["raise", "step-raise"])
async def test_error_texts_do_not_hold_it(stage: Stage, how: str) -> None:
    task = await stage.run(uses, {"how": how})
    assert task.life.error is not None
    assert f"{HIDDEN} was refused" in task.life.error.message


@pytest.mark.parametrize("how", ["length", "result", "step", "raise", "step-raise", "say", "other"])
async def test_nothing_on_record_or_said_holds_it(stage: Stage, how: str, caplog: pytest.LogCaptureFixture) -> None:
    with captured(HELD):
        await stage.run(uses, {"how": how})
    stored = [*stage.log._records, *[record async for records in stage.outputs.read() for record in records]]
    for part in (b"quoted", b"sk-"):
        assert not [record for record in stored if part in record.body]
    assert "quoted" not in caplog.text
    if how == "say":
        assert [chunk.value for chunk in await said(stage.client(), "t")] == [{"key": HIDDEN}]
        assert {line["text"] for line in await log_of(stage)} == {f"key: {HIDDEN}\n", f"key {HIDDEN}"}


async def test_a_thread_gets_it_too(stage: Stage) -> None:
    @skill("thread", secrets=["openai"])
    def in_thread(task: SyncTaskContext) -> int:
        return len(task.secret("openai"))

    assert (await stage.run(in_thread)).life.result == len(VALUE)


async def test_a_node_without_the_secret_gets_no_such_task_and_why_says_so() -> None:
    async with Cluster() as cluster:
        control = await cluster.control()
        await cluster.node("n1", [uses])
        client = cluster.client()
        ref = await client.submit("uses", {"how": "length"})
        await cluster.until(lambda: control.state.position >= cluster.log.last_seq)
        [why] = control.placement.why(ref.id, control.context.clock.now_ns())
        assert why.startswith("node n1 holds no secret 'openai', which skill 'uses' asks for")
        await cluster.node("n2", [uses], secrets=HELD)
        assert await ref.result(10) == len(VALUE)
        assert cluster.task(ref.id).life.node == "n2"


def test_spellings_are_hidden() -> None:
    for text in (VALUE, repr(VALUE), VALUE.replace("\\", "\\\\").replace('"', '\\"'), "sk-%22quoted%5Cslash"):
        assert "quoted" not in HELD.hide(f"a {text} b")
    assert Secrets({"pem": "-----BEGIN-----\nabcdefghij\n"}).hide("abcdefghij") == HIDDEN
    assert "quoted" not in repr(HELD)
    assert Secrets().hide(VALUE) == VALUE


def test_names_are_compared_as_the_environment_has_them() -> None:
    secrets = Secrets({"My-Key": "12345678"})
    assert secrets.value("my_key") == secrets.value("MY-KEY") == "12345678"
    assert secrets.lacking(("my-key", "other")) == ("other",)


@pytest.mark.parametrize(("name", "value"), [("short", "1234567"), ("no name", "12345678")])
def test_what_can_be_no_secret_is_refused_without_being_told(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as error:
        Secrets({name: value})
    assert value not in str(error.value)


def test_secrets_come_from_a_file_and_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text('# comment\n\nopenai = "sk-1 = 2"\nmail=abc\n')
    path.chmod(0o600)
    env = {"CLAW_SECRET_MAIL": "from the environment", "CLAW_SECRET_OTHER_KEY": "x", "HOME": "/"}
    assert read_secrets(str(path), env) == {"openai": "sk-1 = 2", "mail": "abc", "other_key": "x"}
    path.chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        read_secrets(str(path), {})
    path.chmod(0o600)
    path.write_text("what is this")
    with pytest.raises(Misconfigured, match="line 1"):
        read_secrets(str(path), {})
    with pytest.raises(Misconfigured, match="can't read the secrets file"):
        read_secrets(os.fspath(tmp_path / "none"), {})
