"""Memory: makes past tasks, chats and notes searchable; every memory can be traced to the events it comes from.

One package per stage, in the order of the data: `ingest` (sources to memories), `consolidation` (summaries, facts),
`index` (rows, vectors, graph), `models` (parts by name, vectors beside the rows), `recall` (search), `process` (the
memory process). `text` and `item` are shared leaves.
In: records of the log (task histories, chat messages, memory events) and questions. Out: `Hit`s with their sources, and
commands of `clawactors.systems.memories` that become events like all others.
Everything on disk is a fold of the log, but for vectors of a model: delete it, replay, and the answers are the same. It
calls a model or the network only where settings name one, and never takes a recalled memory for new evidence.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clawactors.memory.compressing import Compressed, compress
    from clawactors.memory.scratch import Scratch, open_scratch

__all__ = ["Compressed", "Scratch", "compress", "open_scratch"]


def __getattr__(name: str) -> Any:
    """Imports a public name on first use: it needs numpy, which text analysis does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from clawactors.memory import compressing, scratch

    return getattr(scratch if name in scratch.__all__ else compressing, name)
