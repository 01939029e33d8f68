"""The memory that a cgroup allows: a container has that, whatever the machine has."""

from pathlib import Path
from typing import Final

__all__ = ["memory_use_percent"]

_ROOT: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def memory_use_percent(root: Path = _ROOT, own: Path = _OWN) -> float | None:
    """The use of the cgroup (version 2) that is nearest to its limit, in percent; None where there is no limit.

    Pages of files that the kernel can drop do not count as used.
    """
    try:
        inner = own.read_text().partition("::")[2].partition("\n")[0].strip("/")
    except OSError:
        return None
    folder, found = root / inner, list[float]()
    while folder.is_relative_to(root):
        if (used := _percent_of(folder)) is not None:
            found.append(used)
        folder = folder.parent
    return max(found, default=None)


def _percent_of(folder: Path) -> float | None:
    try:
        limit = int((folder / "memory.max").read_text())  # `max` for no limit
        used = int((folder / "memory.current").read_text())
        facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return min(100.0, 100.0 * max(0, used - int(facts.get("inactive_file", 0))) / limit) if limit else 100.0
