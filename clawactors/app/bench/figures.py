"""One measured figure, as people and scripts read it."""

from typing import Any

import msgspec

__all__ = ["Figure", "Target", "percentile", "table"]


class Target(msgspec.Struct, frozen=True):
    """A figure beside what was promised: that at most, or `at_least`."""

    name: str
    value: float
    target: float
    unit: str
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """True where the promise holds."""
        return self.value >= self.target if self.at_least else self.value <= self.target


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """`limit_per_s` is what the parts under it gave in the same run; None where a figure makes no sense."""

    name: str
    n: int
    per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    limit_per_s: float | None = None
    targets: tuple[Target, ...] = ()
    conditions: dict[str, Any] = {}


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(figures: list[Figure]) -> str:
    """The figures aligned for a terminal, conditions below each."""
    head = ("name", "n", "per s", "p50 ms", "p99 ms", "limit per s", "ratio")
    rows = [head]
    for figure in figures:
        ratio = figure.per_s / figure.limit_per_s if figure.per_s and figure.limit_per_s else None
        rows.append(
            (
                figure.name,
                f"{figure.n:,}",
                _number(figure.per_s, 0),
                _number(figure.p50_ms, 2),
                _number(figure.p99_ms, 2),
                _number(figure.limit_per_s, 0),
                _number(ratio, 2),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = []
    for index, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells))
        if index:
            for each in figures[index - 1].targets:
                verdict = "met" if each.is_met else "MISSED"
                lines.append(f"    {verdict}: {each.name}: {each.value:.3g} {each.unit}, target {each.target:g}")
            lines.append("    " + ", ".join(f"{key} {value}" for key, value in figures[index - 1].conditions.items()))
    return "\n".join(lines)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
