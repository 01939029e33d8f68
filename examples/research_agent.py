"""A research agent: it asks many sources side by side, each a task of its own on any node, and goes on with most.

    claw up --skills examples/research_agent.py
    claw submit research '{"question": "Why is the sky blue?"}' --wait
    claw task --tree ID     # the agent and its sources

Kill a node, or all of them, meanwhile: sources that were read are not read again.
"""

import asyncio

from clawactors import Retry, Task, skill

SOURCES = ("an encyclopedia", "a textbook", "a paper", "a forum", "a site that is down")


@skill("read", retry=Retry(max_retries=1, wait_s=0.1))
async def read(task: Task, source: str, question: str) -> str:
    """Reads one source; the real one calls a search engine or a model."""
    await asyncio.sleep(0.1)
    if "down" in source:
        raise ConnectionError(f"{source} does not answer")
    return f"{source} on {question!r}: light is scattered"


@skill("research")
async def research(task: Task, question: str) -> dict[str, object]:
    """Waits for most of its sources; one that fails, or is slow, does not hold it up."""
    refs = [await task.submit(read, {"source": source, "question": question}, key=source) for source in SOURCES]
    answers = await task.gather(refs, need=len(SOURCES) - 1)
    found = [answer for answer in answers if isinstance(answer, str)]
    failed = (source for source, answer in zip(SOURCES, answers, strict=True) if not isinstance(answer, str))
    return {"answer": await task.step("summarize", summarize, found), "missing": list(failed)}


async def summarize(found: list[str]) -> str:
    """What a model would make of them."""
    return f"{len(found)} sources agree: light is scattered"
