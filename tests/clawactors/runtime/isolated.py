"""Skills that run in a process of their own; such a process looks for them at the top of a module."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clawactors import ErrorRule, LostWork, Retry, SyncTask, skill, step


@skill("adds", isolate=True)
def adds(task: SyncTask, n: int) -> dict[str, Any]:
    """Steps, progress and the rest, from another process."""
    total = sum(task.step(f"s{number}", pow, number, 2) for number in range(n))
    task.progress(1, 2)
    task.heartbeat()
    return {"pid": os.getpid(), "total": total, "attempt": task.attempt, "id": task.id}


@skill("asks", isolate=True)
def asks(task: SyncTask) -> Any:
    """Takes a signal."""
    return task.signal("approve")


@skill("tidies", isolate=True)
def tidies(task: SyncTask) -> Any:
    """Waits, and cleans up."""
    try:
        return task.signal("never")
    finally:
        task.step("tidy", os.getpid)


@skill("consents", isolate=True)
def consents(task: SyncTask) -> Any:
    """Asks a person."""
    answer = task.approve("sure?", by=["ada"])
    return [bool(answer), answer.by]


@skill("halves", isolate=True)
def halves(task: SyncTask) -> Any:
    """Has children, one of which fails."""
    one = task.run("half", {"n": 8})
    refs = [task.submit("half", {"n": n}) for n in (2, 3)]
    found = task.gather(refs, need=1, on_failure="wait")
    return [one, found[0], str(found[1])]


@skill("gathers", isolate=True)
def gathers(task: SyncTask) -> Any:
    """Takes what its predecessors have returned."""
    return task.results()


@skill("fails", isolate=True, errors=[ErrorRule(kind="quota", text="used up", strategy="give_up")])
def fails(task: SyncTask, how: str) -> Any:
    """Fails in one way or another."""
    match how:
        case "value":
            raise ValueError("of no use")
        case "quota":
            raise RuntimeError("it is used up")
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "object":
            return object()
        case "step":
            return task.step("s", _flaky, retry=Retry(2, wait_s=0.001))
        case "twice":
            return [task.step("s", int, "1"), task.step("s", int, "1")]
    return None


_calls: list[int] = []


def _flaky() -> int:
    _calls.append(1)
    if len(_calls) < 3:
        raise RuntimeError("not yet")
    return len(_calls)


@skill("hoards", isolate=True, memory_mb=400)
def hoards(task: SyncTask) -> int:
    """Takes more memory than it may."""
    return len(bytearray(2**30))


@skill("hangs", isolate=True)
def hangs(task: SyncTask, file: str, polite: bool = False) -> str:
    """Says `here` into a pipe that it holds open, and goes on for ever, or until it is told to end."""
    with Path(file).open("w", encoding="utf-8") as pipe:
        pipe.write("here\n")
        pipe.flush()
        task.step("told", str, "told")
        while not (polite and task.cancelled):
            time.sleep(0.01)
        pipe.write("in good order")
    return "ended"


@skill("speaks", isolate=True, secrets=["openai"])
def speaks(task: SyncTask, text: str = "") -> Any:
    """Says things on its way, and gives back what it was given."""
    print("printed", task.secret("openai"))
    print("no end of line", end="")
    sys.stderr.write("an error\n")
    logging.getLogger("mine").info("logged")
    for number in range(3):
        task.emit({"number": number})
    stored = task.store(b"\xff" * 1000)
    os.system("echo from a program")  # noqa: S605, S607
    return {"text": task.step("large", str, text), "stored": stored}


def _refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    """The class and the words of what the call raises."""
    try:
        call(*args, **kwargs)
    except Exception as error:
        return [type(error).__name__, str(error)]
    return []


def use_every_method(task: SyncTask) -> dict[str, Any]:
    """What each method of a task gives, and what some of them raise."""
    task.plan(["power", pow])
    task.progress(1, 2)
    task.heartbeat()
    task.emit({"number": 1})
    task.emit([2], stream="other")
    task.sleep(0.001)
    return {
        "id": task.id,
        "attempt": task.attempt,
        "cancelled": task.cancelled,
        "step": task.step("power", pow, 2, 5),
        "again": task.step("flaky", _flaky, retry=Retry(2, wait_s=0.001)),
        "compensate": task.compensate(),
        "signal": task.signal("go", timeout="1h"),
        "store": task.store(bytearray(b"\xff" * 10)),
        "secret": len(task.secret("openai")),
        "remember": task.remember("Ada likes tea", tags=(tag for tag in ("drinks",)), owner="ada"),
        "recall": task.recall("tea", limit=1),
        "context": task.context("tea", tokens=50)["text"],
        "ask_memory": task.ask_memory("memory.get", id="m"),
        "results": task.results(),
        "gather": task.gather([]),
        "errors": [
            _refusal(task.secret, "other"),
            _refusal(task.emit, object(), stream="log"),
            _refusal(task.sleep, "nonsense"),
            _refusal(task.signal, "never", timeout=0.001),
            _refusal(task.ask_memory, "memory.missing"),
            _refusal(task.ask_memory, "memory.away"),
            _refusal(task.remember, 5),
            _refusal(task.step, "", int),
            _refusal(task.run, "half", {"n": 2}),
            _refusal(task.approve, ""),
            _refusal(task.submit, "half", {"n": 2}),
        ],
    }


in_thread = skill("every-method-in-thread", secrets=["openai"])(use_every_method)
in_child = skill("every-method-in-child", isolate=True, secrets=["openai"])(use_every_method)


def unlink(result: str, file: str) -> None:
    """Undoes `touch`, in a process of its own."""
    print("undone in", os.getpid())
    Path(file).rename(f"{file}.{result}.{os.getpid()}")


@step(undo=unlink)
def touch(file: str) -> str:
    """Makes a file."""
    Path(file).touch()
    return "made"


@skill("touches", isolate=True, on_failure="compensate", retry=Retry(0))
def touches(task: SyncTask, file: str) -> None:
    """Fails after its step."""
    touch(task, file)
    raise RuntimeError("after all")


@skill("isolated-continues", isolate=True)
def continues(task: SyncTask, run: int = 1, patched: bool = False) -> list[Any]:
    """Goes on with another run, and asks for a change of its code."""
    task.step("s", pow, 2, run)
    if run == 1:
        task.continue_as({"run": 2, "patched": task.patched("change")})
    return [run, patched]


@skill("isolated-answers", isolate=True)
def answers(task: SyncTask) -> None:
    """Would answer."""
    task.answer("state", dict)


def ask_about(task: SyncTask, lost: LostWork) -> None:
    """Looks at what was lost, in a step."""
    task.step("look", str, [each.name for each in lost.steps])


@skill("isolated-recovers", isolate=True, recover=ask_about)
def recovers(task: SyncTask) -> list[int]:
    """Is asked about what was lost."""
    return [task.attempt, task.step("s", pow, 2, 3)]
