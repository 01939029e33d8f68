"""Changes of memories from the command line: forget, update, archive, settings; and what was changed."""

from typing import Any

from clawactors.app.cli.memoryrows import audit_table, memory_cards, memory_table, version_table
from clawactors.app.cli.output import Facts, emit, note
from clawactors.app.cli.selection import confirmed
from clawactors.app.cli.session import ask_memory
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.kernel.errors import NotFound

__all__ = ["archive", "audit", "forget", "history", "settings", "update"]


async def forget(client: Client, options: Any) -> int:
    """`claw memory forget [ID …]`: forgets memories or a scope; prints the receipt."""
    scope = {"owner": options.owner, "session": options.session, "agent": options.agent}
    scope |= {"since_ns": options.since, "until_ns": options.until}
    if bool(options.words) == any(scope.values()):
        examples = "claw memory forget ID, claw memory forget --owner U, claw memory forget --owner U --since DATE"
        raise Problem("usage", "forget takes IDs, or --owner, --session, --agent, --since or --until", examples)
    wanted = scope | {"reason": options.reason}
    if not options.words or options.dry_run:
        planned = await client.memories.forget(*options.words, dry_run=True, **wanted)
        number = len(planned["ids"])
        if options.dry_run:
            return await _planned(client, options, planned["ids"])
        of = f" of {options.owner}" if options.owner else ""
        if not confirmed(options, number, f"forget {number} memories{of}"):
            return 0
    receipt = await client.memories.forget(*options.words, **wanted)
    del receipt["position"]
    facts = [("forgotten", receipt["changed"]), *receipt["counts"].items(), ("up to event", receipt["upto"])]
    emit(options, receipt, lambda: [Facts(facts)])
    note(f"no answer, index or view holds them any more; {receipt['log']}")
    return 0


async def _planned(client: Client, options: Any, ids: list[str]) -> int:
    wanted = frozenset(ids)
    rows = [row async for row in client.memories.export() if row["id"] in wanted]
    emit(options, rows, lambda: memory_table(rows))
    note(f"forget would delete {len(rows)} {'memory' if len(rows) == 1 else 'memories'}; nothing was changed")
    return 0


async def update(client: Client, options: Any) -> int:
    """`claw memory update ID TEXT`: puts a memory in other words."""
    id, *words = options.words
    await client.memories.update(id, " ".join(words), tags=options.tag or None)
    rows = [(await ask_memory(client, "show", id=id))["row"]]
    emit(options, rows, lambda: memory_cards(rows))
    return 0


async def history(client: Client, options: Any) -> int:
    """`claw memory history KEY|ID`: the versions of a memory."""
    (name,) = options.words
    try:
        rows = await client.memories.history(name, owner=options.owner)
    except NotFound:
        rows = await client.memories.history(id=name)
    emit(options, rows, lambda: version_table(rows))
    return 0


async def archive(client: Client, options: Any) -> int:
    """`claw memory archive|restore ID`: hides a memory from searches, or brings it back."""
    (id,) = options.words
    await client.memories.archive(id, restore=options.verb == "restore", reason=options.reason)
    rows = [(await ask_memory(client, "show", id=id))["row"]]
    emit(options, rows, lambda: memory_cards(rows))
    return 0


async def settings(client: Client, options: Any) -> int:
    """`claw memory settings`: shows or sets what an owner wants."""
    changes: dict[str, Any] = {name: getattr(options, name) for name in ("language", "zone")}
    changes["retention_days"] = options.retention
    changes["memory"] = None if options.memory is None else options.memory == "on"
    changes["sharing"] = None if options.share is None else [name for name in options.share if name != "none"]
    row = await client.memories.settings(options.owner, **changes)
    emit(options, row, lambda: [Facts((name, str(value)) for name, value in row.items())])
    return 0


async def audit(client: Client, options: Any) -> int:
    """`claw memory audit [ID]`: who changed what, when and why."""
    id = options.words[0] if options.words else ""
    limit = 100 if options.limit is None else options.limit
    rows = await client.memories.audit(id, owner=options.owner, since_ns=options.since, limit=limit)
    emit(options, rows, lambda: audit_table(rows))
    return 0
