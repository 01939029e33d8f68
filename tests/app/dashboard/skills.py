"""Skills of an imagined team of agents: what the dashboard shows in its tests, its pictures and its benchmark."""

import asyncio
from typing import Any

from clawactors import Retry, Task, skill

__all__: list[str] = []

SENTENCES = (
    "Three vendors changed their pricing this quarter.",
    "The largest of them moved to usage based tiers;",
    "two smaller ones added a free plan with hard limits.",
    "Customers on annual contracts see no change before March.",
    "Our own price stays below the median in all four segments.",
)


async def search(query: str) -> list[str]:
    await asyncio.sleep(0.05)
    return [f"https://example.org/{query.partition(' ')[0].lower()}/{number}" for number in range(1, 4)]


async def read(url: str) -> dict[str, Any]:
    await asyncio.sleep(0.03)
    return {"url": url, "words": 1240, "language": "en"}


@skill("research")
async def research(task: Task, topic: str, depth: int = 3) -> dict[str, Any]:
    """Research a topic and write a summary with its sources."""
    print(f"research: {topic}")
    pages = await task.step("search", search, topic)
    for place, url in enumerate(pages[:depth]):
        print(f"reading {url}")
        await task.step(f"read-{place + 1}", read, url)
        task.progress(place + 1, depth + 1)
    for sentence in SENTENCES:
        for word in sentence.split():
            await task.emit(f"{word} ")
    await task.remember(f"{topic}: our own price stays below the median in all four segments.", tags=("research",))
    return {"summary": " ".join(SENTENCES), "sources": pages}


@skill("summarise")
async def summarise(task: Task, document: str) -> str:
    """Summarise a document in one sentence."""
    return f"{document}: nothing in it needs an answer this week."


@skill("publish")
async def publish(task: Task, title: str, channel: str = "blog") -> str:
    """Draft a text, ask a person, publish it."""
    draft = await task.step("draft", summarise_text, title)
    answer = await task.approve(f"Publish “{title}” on the {channel}?", timeout="2d", default="deny", name="publish")
    if not answer.approved:
        return "withdrawn"
    return await task.step("send", summarise_text, draft)


async def summarise_text(text: str) -> str:
    await asyncio.sleep(0.02)
    return f"{text}."


@skill("weekly-report")
async def weekly_report(task: Task, team: str) -> dict[str, Any]:
    """Have children research, and gather what they found."""
    first = await task.submit("research", {"topic": f"{team}: pricing of competitors"})
    others = [await task.submit("summarise", {"document": f"{team}/notes-{day}.md"}) for day in range(1, 4)]
    found = await task.gather(first, *others)
    return {"team": team, "parts": len(found)}


@skill("import-invoices", retry=Retry(max_retries=1, wait_s=0.05))
async def import_invoices(task: Task, mailbox: str) -> int:
    """Fetch invoices from a mailbox."""
    raise ConnectionError(f"imap.example.org:993 refused the connection for {mailbox}")


@skill("charge", retry=Retry(max_retries=0))
async def charge(task: Task, customer: str) -> int:
    """Charge a customer."""
    raise PermissionError(f"the key of the payment service may not charge {customer}")


@skill("index")
async def index(task: Task, folder: str, files: int = 400) -> int:
    """Index a folder, which takes a while."""
    for done in range(files):
        if task.cancelled:
            break
        if done % 10 == 0:
            print(f"indexed {done} of {files} files in {folder}")
        task.progress(done, files)
        await task.emit(f"file-{done} ")
        await asyncio.sleep(0.25)
    return files


HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\"'><b>bold</b>"


@skill("hostile", retry=Retry(max_retries=0))
async def hostile(task: Task, text: str = "") -> str:
    """Says markup wherever a task can say something."""
    print(HOSTILE)
    await task.emit(HOSTILE)
    await task.step(HOSTILE[:60], summarise_text, HOSTILE)
    await task.remember(HOSTILE, tags=("<i>tag</i>",))
    if text:
        return HOSTILE + text
    raise RuntimeError(HOSTILE)
