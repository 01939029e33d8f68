"""`claw sweep`: deletes large values that no record refers to."""

from collections.abc import Iterator
from typing import Any, Final

from clawactors.app.cli.output import Part, emit
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.layers import layers_of
from clawactors.app.problem import Problem
from clawactors.eventlog.jetstream import JetStreamBlobs, JetStreamLog, JetStreamOutputs
from clawactors.eventlog.sealedoutputs import SealedOutputs
from clawactors.runtime.sweep import SweepReport, sweep
from clawactors.systems.tasks.payload import shown_size

__all__ = ["check_age", "older_than", "run"]

_DAY_S: Final = 86_400.0


def check_age(options: Any) -> None:
    """Raises: `Problem` for an age that can't be meant."""
    if options.older_than is not None and options.older_than < _DAY_S:
        raise Problem(
            "usage",
            "values younger than a day may still be needed by a task that is being submitted",
            "--older-than 1d or more",
        )


async def older_than(options: Any, client: Client) -> float:
    """The age of the options, or that of the settings, in seconds."""
    if options.older_than is not None:
        given: float = options.older_than
        return given
    return (await client.config.settings(layers_of(client.found.data))).sweep_older


def run(options: Any) -> int:
    """Deletes the values, or with `--dry-run` reports them."""
    check_age(options)

    async def look(client: Client) -> int:
        older_s = await older_than(options, client)
        log = await JetStreamLog.over(client.connection)
        with ProgressBar("reading", (await log.head()).last_seq, shown=not options.json) as bar:
            swept = await sweep(
                log,
                JetStreamBlobs(client.connection),
                SealedOutputs(JetStreamOutputs(client.connection), log.sealer),
                older_s,
                removes=not options.dry_run,
                progress=bar.at,
            )
        report = {
            "ok": True,
            "dry_run": options.dry_run,
            "blobs": swept.blobs,
            "bytes": swept.bytes,
            "unnamed": swept.unnamed,
            "unnamed_bytes": swept.unnamed_bytes,
            "removed": swept.removed,
            "unfinished": swept.unfinished,
        }
        emit(options, report, lambda: _shown(swept))
        return 0

    return with_client(options, look)


def _shown(swept: SweepReport) -> Iterator[Part]:
    yield f"{swept.blobs} large values, {shown_size(swept.bytes)}"
    yield f"{swept.unnamed} that no record refers to, {shown_size(swept.unnamed_bytes)}; {swept.removed} removed"
    if swept.unfinished:
        yield f"{swept.unfinished} unfinished uploads"
