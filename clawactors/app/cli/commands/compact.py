"""`claw compact`: gives back the space of what is gone: of rows in the views, and of large values without a record."""

from collections.abc import Iterator
from typing import Any

from clawactors.app.cli.commands.sweep import check_age, older_than
from clawactors.app.cli.output import Part, emit
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.eventlog.jetstream import JetStreamBlobs, JetStreamLog, JetStreamOutputs
from clawactors.eventlog.sealedoutputs import SealedOutputs
from clawactors.runtime.sweep import sweep
from clawactors.systems.tasks.payload import shown_size

__all__ = ["run"]


def run(options: Any) -> int:
    """Compacts, and prints the bytes freed."""
    check_age(options)

    async def compact(client: Client) -> int:
        older_s = await older_than(options, client)
        views = await client.compact()
        log, blobs = await JetStreamLog.over(client.connection), JetStreamBlobs(client.connection)
        before = await blobs.size_bytes()
        with ProgressBar("reading", (await log.head()).last_seq, shown=not options.json) as bar:
            await sweep(
                log, blobs, SealedOutputs(JetStreamOutputs(client.connection), log.sealer), older_s, progress=bar.at
            )
        after = await blobs.size_bytes()
        parts = {
            "views": {"before": views.before, "after": views.after, "freed": max(0, views.before - views.after)},
            "blobs": {"before": before, "after": after, "freed": max(0, before - after)},
        }
        freed = sum(part["freed"] for part in parts.values())
        emit(options, {"ok": True, "freed": freed, **parts}, lambda: _shown(freed, parts))
        return 0

    return with_client(options, compact)


def _shown(freed: int, parts: dict[str, dict[str, int]]) -> Iterator[Part]:
    for name, part in parts.items():
        yield f"{name}: {shown_size(part['before'])} before, {shown_size(part['after'])} now"
    yield f"{shown_size(freed)} freed"
