"""Skills of a file that prints wherever it can, and that starts whatever it can."""

import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor

from clawactors import SyncTask, Task, skill

print("printed at import")
print("half a line at import", end="")
os.write(1, b"written at import\n")
subprocess.run(["/bin/echo", "a program at import"], check=True)


def say(text: str) -> None:
    """Prints from wherever it runs."""
    print(text)
    logging.getLogger("mine").info("logged %s", text)


@skill("prints")
async def prints(task: Task) -> int:
    """Prints from a thread, a pool of processes, a fork and a program."""
    thread = threading.Thread(target=say, args=("from a thread",))
    thread.start()
    await asyncio.to_thread(thread.join)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        await asyncio.wrap_future(pool.submit(say, "from a pool"))
    sys.__stdout__.write("buffered before a fork\n")  # type: ignore[union-attr]
    if (pid := os.fork()) == 0:
        print("from a fork")
        sys.stdout.flush()
        os._exit(0)
    await asyncio.to_thread(os.waitpid, pid, 0)
    await asyncio.to_thread(subprocess.run, ["/bin/echo", "from a program"], check=True)
    return 1


@skill("prints-apart", isolate=True)
def prints_apart(task: SyncTask) -> int:
    """The same in a process of its own."""
    print("before a fork", end="")
    if (pid := os.fork()) == 0:
        print(" from a fork")
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    subprocess.run(["/bin/echo", "from a program"], check=True)
    return 1


_DETACHED = "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!"
"""A program that leaves its session and its parent."""


def _detach(environment: dict[str, str] | None = None) -> int:
    done = subprocess.run(["/bin/sh", "-c", _DETACHED], check=True, capture_output=True, env=environment)
    return int(done.stdout)


@skill("detaches")
async def detaches(task: Task, waits: bool = False) -> int:
    """Leaves a program behind, and one that has nothing of its environment; the pid of the first."""
    _detach({})
    pid = await task.step("detach", _detach)
    if waits:
        await asyncio.sleep(600)
    return pid


@skill("detaches-apart", isolate=True)
def detaches_apart(task: SyncTask, ends: str) -> int:
    """The same in a process of its own, which returns, fails, crashes or hangs."""
    task.step("detach", _detach)
    if ends != "crashes":  # then only the mark in its environment tells whose it is
        _detach({})
    multiprocessing.get_context("fork").Process(target=signal.pause).start()
    if ends == "crashes":
        os._exit(3)
    if ends == "hangs":
        signal.pause()
    if ends == "fails":
        raise ValueError("it fails")
    return 1


@skill("busy")
async def busy(task: Task) -> None:
    """Waits for a pool and for threads that do not end."""
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"))
    threading.Thread(target=time.sleep, args=(600,)).start()
    hung = asyncio.to_thread(time.sleep, 600)
    await asyncio.gather(hung, asyncio.get_running_loop().run_in_executor(pool, time.sleep, 600))
