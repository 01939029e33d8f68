"""`claw stats`: tasks by status in every dimension, how long runs took, and what everything takes on disk."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.app.cli.arguments.cluster import DIMENSIONS
from clawactors.app.cli.output import Facts, Part, Table
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import show
from clawactors.app.client import Client

__all__ = ["run"]


def run(options: Any) -> int:
    """Prints them."""

    async def ask(client: Client) -> dict[str, Any]:
        found = await client.statistics(
            by=options.by, since=options.since, until=options.until, limit=options.limit, fresh=not options.watch
        )
        return {**msgspec.to_builtins(found), "sizes": msgspec.to_builtins(await client.sizes())}

    return with_client(options, lambda client: show(options, lambda: ask(client), _shown))


def _shown(answer: dict[str, Any]) -> Iterator[Part]:
    sizes, took, window = answer["sizes"], answer["took_all"], answer["window"]
    facts: list[tuple[str, Any]] = [
        ("tasks", _counts(answer["tasks"])),
        ("took", _seconds(took) if took["runs"] else ""),
        ("nodes", _counts(answer["nodes"])),
    ]
    if window is not None:
        facts += [("in these hours", _counts(window["tasks"])), ("took then", _seconds(window["took"]))]
    facts += [
        (f"{name} on disk", "unknown" if size is None else f"{size / 1e6:.1f} MB") for name, size in sizes.items()
    ]
    yield Facts(facts)
    for name in ("status", *DIMENSIONS):
        counts, took = answer.get(f"by_{name}") or {}, answer["took"].get(name) or {}
        if name == "status":
            counts = {value: {value: answer["tasks"][value]} for value, each in took.items() if each["runs"]}
        if counts:
            yield ""
            yield Table(
                (name.upper(), "TASKS", "BY STATUS", "RUNS", "P50 S", "P90 S", "P95 S", "P99 S"),
                (
                    (
                        value[:13].replace("T", " ") + "h" if name == "hour" else value,
                        sum(by_status.values()),
                        by_status if len(by_status) > 1 else next(iter(by_status), ""),
                        *took[value].values(),
                    )
                    for value, by_status in counts.items()
                ),
            )


def _counts(counts: dict[str, int]) -> dict[str, int] | str:
    return {name: n for name, n in counts.items() if n} or "none"


def _seconds(took: dict[str, Any]) -> str:
    shares = ", ".join(f"{name.removesuffix('_s')} {took[name]:.3g} s" for name in took if name != "runs")
    return f"{shares} ({took['runs']} runs)"
