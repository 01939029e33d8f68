"""`shell`: what a program says comes back, and nothing of it is ever left behind."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from clawactors.app.skills.command import Captured, ProgramOutcome
from clawactors.app.skills.shell import fitted, shell
from clawactors.kernel.errors import Refused
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES
from tests.app.conftest import Watch
from tests.app.handles import AsyncHandle

PYTHON = sys.executable

# Prints its pid on the named pipe of the argument, which says both that it runs and which it is.
ANNOUNCE = 'echo $$ > "$0"; '


async def run(*argv: str, **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = await shell(AsyncHandle(), **shell.arguments({"argv": list(argv), **params}))
    return result


async def test_output_and_exit_code_come_back() -> None:
    result = await run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert result == {
        "exit": 3,
        "stdout": "out\n",
        "stderr": "err\n",
        "stdout_bytes": 4,
        "stderr_bytes": 4,
        "cut": False,
    }


async def test_input_env_and_folder_reach_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "kept")
    result = await run(
        "sh", "-c", 'cat; echo "$KEPT $ADDED"; pwd', input="wört\n", env={"ADDED": "1"}, cwd=str(tmp_path)
    )
    assert result["stdout"] == f"wört\nkept 1\n{tmp_path}\n"


async def test_without_input_there_is_none() -> None:
    assert (await run("cat"))["stdout"] == ""


async def test_the_credentials_of_the_cluster_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAW_NATS_URL", "nats://user:secret@host")
    monkeypatch.setenv("NATS_URL", "nats://user:secret@host")
    assert "secret" not in (await run("env"))["stdout"]
    assert "CLAW_X=mine" in (await run("env", env={"CLAW_X": "mine"}))["stdout"]


async def test_a_program_may_leave_its_input_unread() -> None:
    assert (await run("true", input="x" * 1_000_000))["exit"] == 0
    assert (await run("sh", "-c", "exec <&-; echo done", input="x" * 1_000_000))["stdout"] == "done\n"


async def test_an_end_by_a_signal_is_a_negative_exit() -> None:
    assert (await run("sh", "-c", "kill -9 $$"))["exit"] == -signal.SIGKILL


async def test_signals_have_their_defaults_in_the_program() -> None:
    code = "import os, signal, sys; print(os.read(0, 99) and signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL)"
    assert (await run(PYTHON, "-c", code, input="x"))["stdout"] == "True\n"
    assert (await run("sh", "-c", "(yes; echo $? >&2) | head -1"))["stderr"] == f"{128 + signal.SIGPIPE}\n"


@pytest.mark.parametrize(
    ("argv", "more", "words"),
    [
        (["no-such-program"], {}, "can't run 'no-such-program': No such file"),
        (["/etc/passwd"], {}, "can't run '/etc/passwd': Permission denied"),
        (["/"], {}, "can't run '/'"),
        (["true"], {"cwd": "/no/such/folder"}, "cwd '/no/such/folder' is not a folder on this node"),
        (["echo", "x" * 200_000], {}, "can't run 'echo': Argument list too long"),
        (["true"], {"env": {"X": "y" * 200_000}}, "can't run 'true': Argument list too long"),
    ],
)
async def test_what_cannot_be_run_is_refused(argv: list[str], more: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        await run(*argv, **more)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"argv": []}, "argv must hold a program"),
        ({"argv": [""]}, "argv must hold a program"),
        ({"argv": ["echo", "a\0b"]}, "null"),
        ({"argv": ["true"], "cwd": "a\0b"}, "null"),
        ({"argv": ["true"], "env": {"a=b": "c"}}, "environment"),
        ({"argv": "echo hi"}, "takes array"),
        ({"argv": ["echo", 1]}, "Expected `str`"),
        ({"argv": ["true"], "env": {"a": 1}}, "Expected `str`"),
    ],
)
async def test_malformed_parameters_are_refused(params: dict[str, Any], words: str) -> None:
    open_before = len(os.listdir("/dev/fd"))
    with pytest.raises((Refused, ValueError), match=words):
        await shell(AsyncHandle(), **shell.arguments(params))
    assert len(os.listdir("/dev/fd")) == open_before


async def test_output_beyond_the_limit_is_cut_but_never_waited_for() -> None:
    code = "import sys; [sys.stdout.buffer.write(b'o' * 65536) for _ in range(64)]; sys.stderr.write('e' * 1000)"
    handle = AsyncHandle()
    result = await shell(handle, [PYTHON, "-c", code])
    assert result["cut"]
    assert result["stored"] == {"stdout": {"blob": "stored-1", "bytes": 64 * 65536}}
    assert handle.stored == [b"o" * (64 * 65536)]
    assert result["stdout_bytes"] == 64 * 65536
    assert result["stderr"] == "e" * 1000
    assert set(result["stdout"]) == {"o"}
    assert INLINE_MAX_BYTES - 1000 < len(msgspec.json.encode(result)) <= INLINE_MAX_BYTES


async def test_output_that_is_no_text_shows_as_such() -> None:
    result = await run(PYTHON, "-c", r"import sys; sys.stdout.buffer.write(b'a\xff\x00\xe4b\xc3')")
    assert result["stdout"] == "a\ufffd\0\ufffdb\ufffd"
    assert not result["cut"]


@given(
    stdout=st.binary(max_size=3000),
    stderr=st.binary(max_size=3000),
    kept=st.integers(0, 3000),
    limit=st.integers(300, 2000),
)
def test_a_result_always_fits_and_is_a_beginning(stdout: bytes, stderr: bytes, kept: int, limit: int) -> None:
    outcome = ProgramOutcome(-9, Captured(stdout[:kept], len(stdout)), Captured(stderr[:kept], len(stderr)))
    result = fitted(outcome, limit)
    assert len(msgspec.json.encode(result)) <= limit
    assert stdout.decode(errors="replace").startswith(result["stdout"])
    assert stderr.decode(errors="replace").startswith(result["stderr"])
    whole = (result["stdout"], result["stderr"]) == (stdout.decode(errors="replace"), stderr.decode(errors="replace"))
    assert result["cut"] or whole


# Nothing is left behind


@pytest.fixture
def announced(tmp_path: Path) -> Callable[[], Coroutine[Any, Any, int]]:
    """Waits for the pid that a program writes into the named pipe `pid`."""
    os.mkfifo(tmp_path / "pid")

    async def wait() -> int:
        async with asyncio.timeout(10):
            return int(await asyncio.to_thread((tmp_path / "pid").read_text))

    return wait


LEFT_BEHIND = {
    "the program itself": ANNOUNCE + "exec sleep 60",
    "its child": f"sh -c '{ANNOUNCE}exec sleep 60' \"$0\" & wait",
    "one in a session of its own": f"setsid sh -c '{ANNOUNCE}exec sleep 60' \"$0\" & wait",
    "an orphan in a session of its own": f"(setsid sh -c '{ANNOUNCE}exec sleep 60' \"$0\" &) ; sleep 60",
    "one that ignores being asked": f"trap '' TERM; {ANNOUNCE} while true; do sleep 60; done",
}


@pytest.mark.parametrize("script", LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
async def test_a_cancel_ends_all_of_it(
    script: str, tmp_path: Path, watch: Watch, announced: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    task = asyncio.ensure_future(run("sh", "-c", script, str(tmp_path / "pid")))
    ended = watch(await announced())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended()


async def test_a_cancel_asks_before_it_kills(tmp_path: Path, announced: Callable[[], Coroutine[Any, Any, int]]) -> None:
    script = f"trap 'echo bye > {tmp_path}/bye; exit' TERM; {ANNOUNCE} while true; do sleep 0.05; done"
    task = asyncio.ensure_future(run("sh", "-c", script, str(tmp_path / "pid")))
    await announced()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "bye").read_text() == "bye\n"


async def test_a_timeout_ends_it(
    tmp_path: Path, watch: Watch, announced: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    limit = asyncio.timeout(None)

    async def limited() -> None:
        async with limit:
            await run("sh", "-c", ANNOUNCE + "exec sleep 60", str(tmp_path / "pid"))

    task = asyncio.ensure_future(limited())
    ended = watch(await announced())
    limit.reschedule(0)
    with pytest.raises(TimeoutError):
        await task
    assert ended()


async def test_a_cancel_that_is_repeated_still_ends_it(
    tmp_path: Path, watch: Watch, announced: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    script = f"trap '' TERM; {ANNOUNCE} while true; do sleep 60; done"
    task = asyncio.ensure_future(run("sh", "-c", script, str(tmp_path / "pid")))
    ended = watch(await announced())
    for _ in range(3):
        task.cancel()
        await asyncio.wait([task], timeout=0.05)
    assert task.done()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    assert ended()


async def test_what_a_program_leaves_running_ends_with_it(
    tmp_path: Path, watch: Watch, announced: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    script = f'(setsid sh -c \'{ANNOUNCE}exec sleep 60\' "$0" &) ; read x < "$0.go"; echo done'
    os.mkfifo(tmp_path / "pid.go")
    task = asyncio.ensure_future(run("sh", "-c", script, str(tmp_path / "pid")))
    ended = watch(await announced())
    await asyncio.to_thread((tmp_path / "pid.go").write_text, "go\n")
    assert (await task)["stdout"] == "done\n"
    assert ended()


@pytest.mark.parametrize("script", LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
async def test_nothing_outlives_the_node(
    script: str, tmp_path: Path, watch: Watch, announced: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    node = "import asyncio, sys; from clawactors.app.skills.shell import shell; asyncio.run(shell(None, sys.argv[1:]))"
    process = await asyncio.create_subprocess_exec(PYTHON, "-c", node, "sh", "-c", script, str(tmp_path / "pid"))
    try:
        ended = watch(await announced())
    finally:
        process.kill()
        await process.wait()
    assert ended()


async def test_a_killed_keeper_takes_its_program_along_and_is_told(
    tmp_path: Path, watch: Watch, announced: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    task = asyncio.ensure_future(run("sh", "-c", ANNOUNCE + "exec sleep 60", str(tmp_path / "pid")))
    pid = await announced()
    ended = watch(pid)
    psutil.Process(pid).parent().kill()
    with pytest.raises(RuntimeError, match="the keeper of 'sh' was killed"):
        await task
    assert ended()


def test_the_same_on_the_loop_that_nodes_run(tmp_path: Path, watch: Watch) -> None:
    async def both() -> None:
        assert (await run("sh", "-c", "cat; exit 4", input="in"))["exit"] == 4
        with pytest.raises(Refused, match="No such file"):
            await run("no-such-program")
        with pytest.raises(Refused, match="is not a folder on this node"):
            await run("true", cwd="/no/such/folder")
        os.mkfifo(tmp_path / "pid")
        task = asyncio.ensure_future(run("sh", "-c", LEFT_BEHIND["its child"], str(tmp_path / "pid")))
        ended = watch(int(await asyncio.to_thread((tmp_path / "pid").read_text)))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert ended()

    uvloop.run(both())


async def test_many_at_once() -> None:
    results = await asyncio.gather(*(run("sh", "-c", f"echo {number}") for number in range(20)))
    assert [result["stdout"] for result in results] == [f"{number}\n" for number in range(20)]
