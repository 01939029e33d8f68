"""A streamed result: `claw up --skills examples/streamed.py`, then `python examples/streamed.py`, which submits it and
shows each piece as it comes. `claw logs ID -f` shows what it prints meanwhile.
"""

import asyncio
from contextlib import aclosing

from clawactors import Client, Task, skill

TEXT = "The log is the system: actors decide, the log remembers, views are folds of the log."


@skill("answer")
async def answer(task: Task, question: str, pause_s: float = 0.05) -> str:
    """As a language model does: word by word on the way, the whole as its result."""
    print(f"asked: {question}")
    words = TEXT.split()
    for word in words:
        await task.emit(word)
        await asyncio.sleep(pause_s)
    return " ".join(words)


async def main() -> None:
    """Follows one answer; after a lost connection, or in another process, `after=position` goes on where it was."""
    async with Client.connect() as claw:
        ref = await claw.submit("answer", {"question": "What is the system?"})
        attempt = 1
        async with aclosing(ref.stream()) as chunks:
            async for chunk in chunks:
                if chunk.attempt != attempt:  # its node died: it answers from the beginning
                    attempt = chunk.attempt
                    print("\n(again)")
                print(chunk.value, end=" ", flush=True)
        print("\n\n" + await ref.result())


if __name__ == "__main__":
    asyncio.run(main())
