"""What comes after what, within one batch. Pure; the time it takes grows with the tasks and the dependencies."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

__all__ = ["arranged", "cycle"]

_SHOWN: Final = 8

type _Path = list[tuple[str, Iterator[str]]]


def arranged(after: Mapping[str, Sequence[str]]) -> tuple[list[str], dict[str, str]]:
    """All tasks, each after those of its predecessors that are in `after`; and an error for each task in a cycle.

    Where cycles share tasks, a task without an error comes after one that has one.
    """
    order: list[str] = []
    rings: dict[str, str] = {}
    on_the_way: dict[str, int] = {}
    done: set[str] = set()
    for start in after:
        if start in done:
            continue
        path: _Path = [(start, iter(after[start]))]
        on_the_way[start] = 0
        while path:
            id, rest = path[-1]
            for predecessor in rest:
                if predecessor in on_the_way:
                    first, place = on_the_way[predecessor], len(path) - 1
                    text = cycle([id for id, _ in path[first:]])
                    while place >= first and path[place][0] not in rings:
                        rings[path[place][0]] = text
                        place -= 1
                elif predecessor in after and predecessor not in done:
                    on_the_way[predecessor] = len(path)
                    path.append((predecessor, iter(after[predecessor])))
                    break
            else:
                path.pop()
                del on_the_way[id]
                done.add(id)
                order.append(id)
    return order, rings


def cycle(ids: Sequence[str]) -> str:
    """In words, that each of these comes after the next one, and the last one after the first."""
    more = len(ids) - _SHOWN
    shown = ids[: _SHOWN - 1] if more > 0 else ids
    gap = [f"… {more} more …", ids[-1]] if more > 0 else []
    return f"it would wait for itself: {' after '.join((*shown, *gap, ids[0]))}"
