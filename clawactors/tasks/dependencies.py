"""What comes after what, within one batch. Pure; the time it takes grows with the tasks and the dependencies."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

__all__ = ["arranged", "told"]

_SHOWN: Final = 8


def arranged(after: Mapping[str, Sequence[str]]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """All tasks, each behind its predecessors as far as these are among them; and those that wait for themselves.

    The latter with the way back, as `("a", "b", "a")` for a after b after a. Who is in a ring and not among them has a
    predecessor that is, or whose predecessor is, and stands behind it.
    """
    order: list[str] = []
    rings: dict[str, tuple[str, ...]] = {}
    on_the_way: dict[str, int] = {}
    done: set[str] = set()
    for start in after:
        if start in done:
            continue
        path: list[tuple[str, Iterator[str]]] = [(start, iter(after[start]))]
        on_the_way[start] = 0
        while path:
            id, rest = path[-1]
            for predecessor in rest:
                if predecessor in on_the_way:
                    ring = tuple(each for each, _ in path[on_the_way[predecessor] :])
                    for member in ring:
                        rings.setdefault(member, (*ring, ring[0]))
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


def told(ring: Sequence[str]) -> str:
    """The way back in words."""
    shown = ring if len(ring) <= _SHOWN else (*ring[: _SHOWN - 2], f"… {len(ring) - _SHOWN} more …", *ring[-2:])
    return f"it would wait for itself: {' after '.join(shown)}"
