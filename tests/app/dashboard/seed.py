"""Fills a cluster with what a team of agents leaves behind in a week, seen in minutes."""

import asyncio
from typing import Any, Final

import pytest

from clawactors import Client
from clawactors.kernel.errors import Refused
from clawactors.systems.bridges.events import Stranger
from tests.app.dashboard.skills import HOSTILE

__all__ = ["hostile", "seed"]

USERS: Final = ("ada", "grace", "linus")
TOPICS: Final = (
    "Pricing of competitors",
    "Storage costs in three regions",
    "Accessibility of the booking form",
    "Changes in the VAT rules",
    "Latency budget of the search",
)
NOTES: Final = (
    ("Ada prefers short summaries with the numbers first.", "preference"),
    ("Ada moved from Lisbon to Berlin in May 2026.", "people"),
    ("Ada works at Northwind and leads the pricing team.", "people"),
    ("The invoice of Contoso is due on the 14th of each month.", "finance"),
    ("The deploy window is Tuesday, 10:00 to 12:00 UTC.", "operations"),
    ("The staging database is restored from the backup every night.", "operations"),
    ("Grace speaks German and answers mail before noon.", "people"),
    ("The VAT rate for printed books is 7 percent.", "finance"),
)
FLOW: Final[dict[str, Any]] = {
    "workflow": "release_notes",
    "params": {"version": {"type": "string", "default": "2.4"}},
    "steps": [
        {"id": "changes", "skill": "summarise", "params": {"document": "CHANGELOG ${params.version}"}},
        {"id": "facts", "skill": "research", "params": {"topic": "Release ${params.version}"}},
        {"id": "text", "skill": "summarise", "after": ["changes", "facts"], "params": {"document": "notes"}},
        {"id": "ask", "approve": "Publish the notes of ${params.version}?", "after": ["text"]},
        {"id": "send", "skill": "echo", "after": ["ask"], "params": {"text": "sent"}},
    ],
}


async def seed(claw: Client, tasks: int = 40) -> dict[str, str]:
    """Ids by what they show: `researched`, `family`, `asking`, `dead`, `blocked`, `running`, `delayed`."""
    ids: dict[str, str] = {}
    done = []
    for number in range(tasks):
        user, topic = USERS[number % 3], TOPICS[number % 5]
        skill, params = (
            ("research", {"topic": topic}) if number % 2 else ("summarise", {"document": f"minutes-{number}.md"})
        )
        done.append(await claw.submit(skill, params, name=topic, user=user, tags=["week-48", skill]))
    ids["researched"] = done[-1].id
    family = await claw.submit("weekly-report", {"team": "pricing"}, name="Weekly report", user="ada")
    asking = await claw.submit("publish", {"title": "What changed in November"}, name="Newsletter", user="grace")
    await claw.submit("publish", {"title": "Prices for 2027", "channel": "shop"}, name="Price list", user="ada")
    for mailbox in ("billing@example.org", "office@example.org", "sales@example.org"):
        dead = await claw.submit("import-invoices", {"mailbox": mailbox}, name="Invoices", user="linus")
    blocked = await claw.submit("charge", {"customer": "Contoso"}, name="Charge Contoso", user="linus")
    running = await claw.submit("index", {"folder": "/srv/docs"}, name="Index the archive", user="ada")
    delayed = await claw.submit("summarise", {"document": "tomorrow.md"}, name="Tomorrow", after=[running.id])
    ids |= {
        "family": family.id,
        "asking": asking.id,
        "dead": dead.id,
        "blocked": blocked.id,
        "running": running.id,
        "delayed": delayed.id,
    }
    for text, tag in NOTES:
        await claw.remember(text, tags=[tag])
    await claw.schedules.add("morning-digest", "0 7 * * 1-5", "summarise", {"document": "inbox"}, zone="Europe/Berlin")
    await claw.schedules.add("weekly-report", "0 16 * * 5", "weekly-report", {"team": "pricing"})
    await claw.triggers.add("dead-tasks", on="task.dead", submit="summarise", params={"document": "what died"})
    await claw.workflows.add(FLOW)
    ids["workflow"] = (await claw.workflows.submit("release_notes", name="Release 2.4", user="grace")).id
    await asyncio.gather(*(ref.result(timeout_s=60) for ref in (*done, family)))
    return ids


async def hostile(claw: Client) -> dict[str, str]:
    """Fills every field that people and agents write with markup; ids by what they show."""
    options: Any = {"name": HOSTILE, "description": HOSTILE, "tags": ["<b>tag</b>"], "metadata": {HOSTILE: HOSTILE}}
    raised = await claw.submit("hostile", {}, user="<u>eve</u>", **options)
    returned = await claw.submit("hostile", {"text": HOSTILE}, **options)
    asking = await claw.submit("publish", {"title": HOSTILE, "channel": HOSTILE}, **options)
    noted = await claw.remember(HOSTILE, tags=["<b>tag</b>"])
    await claw.schedules.add("hostile", "0 0 1 1 *", "summarise", {"document": HOSTILE}, tags=["<b>tag</b>"])
    await claw.triggers.add("hostile", on="task.dead", publish="x.y", where=f"task.name == {HOSTILE!r}")
    await claw.set_node("n1", affinity={"<b>zone</b>": HOSTILE})
    await claw.keys.add("hostile", ["read"], user=HOSTILE)
    await claw.bridges.allow("telegram", "1", user="<b>eve</b>", skills=["<b>x</b>"])
    await claw.bridges.advance("telegram", "", "1", ignored=1, strangers=[Stranger("<b>2</b>", "<b>3</b>", HOSTILE)])
    for kind in (
        claw.schedules.add(HOSTILE, "0 0 1 1 *", "summarise"),
        claw.triggers.add(HOSTILE, on="task.dead", publish="x.y"),
        claw.keys.add(HOSTILE),
    ):
        with pytest.raises(Refused, match="letters, digits"):
            await kind
    async for _ in claw.ended([raised.id, returned.id]):
        pass
    return {"raised": raised.id, "returned": returned.id, "asking": asking.id, "noted": noted}
