"""Memory: what was lived through, made findable and condensed; every item can be traced to the events it came from.

In: records of the log (task histories, chat messages, memory events) and questions. Out: `Hit`s with sources, and
commands of `clawactors.systems.memories` (episodes, summaries, knowledge) that become events like all others.
All that it keeps on disk is a fold: delete it, replay, and the same answers come back.
It never calls a model or the network by itself, and never takes what it recalled for new evidence.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clawactors.memory.scratch import Scratch, open_scratch

__all__ = ["Scratch", "open_scratch"]


def __getattr__(name: str) -> Any:
    """The public name, imported now: numpy and hnswlib come with it, which those who only read texts do without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from clawactors.memory import scratch

    return getattr(scratch, name)
