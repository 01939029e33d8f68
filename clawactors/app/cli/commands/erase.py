"""`claw erase`: erases all words of a user for good, and prints the receipt."""

import sys
from typing import Any

from clawactors.app.cli.arguments.tasks import ASKS_BEYOND
from clawactors.app.cli.output import Facts, emit, note
from clawactors.app.cli.selection import confirmed
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client

__all__ = ["run"]


def run(options: Any) -> int:
    """Erases; on a terminal, once a person has confirmed it."""

    async def erase(client: Client) -> int:
        asks = sys.stdin.isatty() and sys.stderr.isatty()  # a script has decided already
        if asks and not confirmed(options, ASKS_BEYOND + 1, f"erase all data of {options.owner}, for good"):
            return 0

        def stage(text: str) -> None:
            if text != told[-1] and not options.json:
                told.append(text)
                note(text)

        told = [""]
        done = await client.erase(options.owner, cancel=options.cancel, reason=options.reason, stage=stage)
        receipt = done["receipt"]
        emit(options, done, lambda: [Facts(_facts(receipt))])
        if receipt["unsealed"]:
            note(f"{receipt['unsealed']} tasks and conversations were never sealed, and stay: see docs/operations.md")
        # A control process of an earlier release tells none.
        if earlier := [run for run in receipt.get("earlier", ()) if run["records"]]:
            removed = sum(run["records"] for run in earlier)
            note(f"{removed} commits were erased before, the last at {earlier[-1]['finished_at']}: see --json")
        note(receipt["copies"])
        return 0

    return with_client(options, erase)


def _facts(receipt: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("owner", receipt["owner"]),
        ("commits erased", receipt["records"]),
        *((f"{kind} aggregates", number) for kind, number in receipt["aggregates"].items()),
        ("memories forgotten", receipt["memories"]),
        ("large values removed", receipt["blobs"]),
        ("tasks with output removed", receipt["outputs"]),
        ("finished", receipt["finished_at"]),
        ("request", receipt["request"]),
    ]
