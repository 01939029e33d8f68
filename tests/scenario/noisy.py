"""Skills of a file that prints wherever it can, and that starts whatever it can."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

from clawactors import SyncTask, Task, skill

print("printed at import")
print("half a line at import", end="")
os.write(1, b"written at import\n")
subprocess.run(["/bin/echo", "a program at import"], check=True)


def say(text: str) -> None:
    """Prints from wherever it runs."""
    print(text)


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
