"""A definition drawn as SVG: layers from top to bottom, in each the steps ordered so that few lines cross.

The layout is that of Sugiyama in its simplest form: longest paths make the layers, long edges get a place in each layer
that they pass, and the order follows from the mean place of neighbours, swept down and up.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from clawactors.runtime.workflows.diagram import edges, lines_of
from clawactors.runtime.workflows.plan import Plan

__all__ = ["svg"]

_CHAR: Final = 7.3
_LINE: Final = 17
_PAD: Final = 12
_GAP_X: Final = 28
_GAP_Y: Final = 46
_MARGIN: Final = 16
_BEND: Final = 14.0
"""How wide the place is that a long edge passes."""
_SWEEPS: Final = 8

_COLOURS: Final = {
    "": ("#ffffff", "#5f6b7a"),
    "completed": ("#d7f0dd", "#2e7d32"),
    "running": ("#dbe9fb", "#1565c0"),
    "failed": ("#fbdcdc", "#c62828"),
}
_WAITS: Final = ("sleep", "until", "signal", "approve")


class _Box(msgspec.Struct):
    """A step, or the place where a long edge passes a layer."""

    lines: list[str]
    width: float
    height: float
    layer: int
    x: float = 0.0
    """Of the middle."""
    y: float = 0.0
    """Of the top."""


def svg(plan: Plan, states: Mapping[str, str] | None = None) -> str:
    """The picture; `states` by step colour it. Text of the definition is escaped."""
    boxes, paths = _layered(plan)
    layers: list[list[str]] = [[] for _ in range(1 + max(box.layer for box in boxes.values()))]
    for name, box in boxes.items():
        layers[box.layer].append(name)
    pairs = [pair for path in paths for pair in pairwise(path)]
    _order(layers, pairs)
    width, height = _place(layers, boxes, pairs)
    drawn = [_line([boxes[name] for name in path]) for path in paths]
    for name, each in plan.steps.items():
        drawn.append(_drawn(boxes[name], (states or {}).get(name, ""), rounded=each.step.does in _WAITS))
    title = escape(f"workflow {plan.definition.workflow}")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="system-ui, sans-serif" font-size="13">\n'
        f"<title>{title}</title>\n"
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#5f6b7a"/></marker></defs>\n'
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>\n'
    )
    return head + "\n".join(drawn) + "\n</svg>\n"


def _layered(plan: Plan) -> tuple[dict[str, _Box], list[list[str]]]:
    """The boxes by name, and each edge as the names of the boxes that it passes."""
    boxes: dict[str, _Box] = {}
    waiting = list(plan.steps)
    while waiting:
        name = waiting[-1]
        planned = plan.steps[name]
        if name in boxes:
            waiting.pop()
        elif todo := [each for each in planned.needs if each not in boxes]:
            waiting += todo
        else:
            lines = lines_of(planned.step)
            layer = 1 + max((boxes[each].layer for each in planned.needs), default=-1)
            size = max(map(len, lines)) * _CHAR + 2 * _PAD, len(lines) * _LINE + 2 * _PAD - 6
            boxes[name] = _Box(lines, *size, layer)
            waiting.pop()
    boxes = {name: boxes[name] for name in plan.steps}
    paths: list[list[str]] = []
    for before, after in edges(plan):
        path = [before]
        for layer in range(boxes[before].layer + 1, boxes[after].layer):
            name = f"{before} {after} {layer}"
            boxes[name] = _Box([], _BEND, 0, layer)
            path.append(name)
        paths.append([*path, after])
    return boxes, paths


def _order(layers: list[list[str]], pairs: Sequence[tuple[str, str]]) -> None:
    """Orders each layer by the mean place of neighbours in the one before, down and up in turn."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for before, after in pairs:
        above.setdefault(after, []).append(before)
        below.setdefault(before, []).append(after)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        ordered = layers if down else layers[::-1]
        for fixed, layer in pairwise(ordered):
            places = {name: place for place, name in enumerate(fixed)}
            own = {name: place for place, name in enumerate(layer)}
            layer.sort(key=lambda name: _mean(neighbours.get(name, ()), places, own[name]))


def _mean(names: Sequence[str], places: Mapping[str, float], otherwise: float) -> float:
    found = [places[name] for name in names if name in places]
    return sum(found) / len(found) if found else otherwise


def _place(
    layers: Sequence[Sequence[str]], boxes: Mapping[str, _Box], pairs: Sequence[tuple[str, str]]
) -> tuple[float, float]:
    """Gives every box its place; returns the size of the picture."""
    top = float(_MARGIN)
    for layer in layers:
        height = max(boxes[name].height for name in layer)
        left = 0.0
        for name in layer:
            box = boxes[name]
            box.height = box.height or height
            box.x, box.y = left + box.width / 2, top + (height - box.height) / 2
            left += box.width + _GAP_X
        for name in layer:
            boxes[name].x -= left / 2
        top += height + _GAP_Y
    neighbours: dict[str, list[str]] = {}
    for before, after in pairs:
        neighbours.setdefault(before, []).append(after)
        neighbours.setdefault(after, []).append(before)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            _pull(layer, boxes, neighbours)
    least = min(box.x - box.width / 2 for box in boxes.values()) - _MARGIN
    for box in boxes.values():
        box.x -= least
    return max(box.x + box.width / 2 for box in boxes.values()) + _MARGIN, top - _GAP_Y + _MARGIN


def _pull(layer: Sequence[str], boxes: Mapping[str, _Box], neighbours: Mapping[str, Sequence[str]]) -> None:
    """Moves the boxes of a layer towards the mean of their neighbours, in their order and without overlap."""
    wanted: list[float] = []
    for name in layer:
        xs = [boxes[each].x for each in neighbours.get(name, ())]
        wanted.append(sum(xs) / len(xs) if xs else boxes[name].x)
    left: list[float] = []
    for place, name in enumerate(layer):
        x = wanted[place]
        if place:
            x = max(x, left[-1] + _distance(boxes[layer[place - 1]], boxes[name]))
        left.append(x)
    right = list(wanted)
    for place in range(len(layer) - 2, -1, -1):
        right[place] = min(wanted[place], right[place + 1] - _distance(boxes[layer[place]], boxes[layer[place + 1]]))
    for name, low, high in zip(layer, left, right, strict=True):
        boxes[name].x = (low + high) / 2


def _distance(one: _Box, other: _Box) -> float:
    return (one.width + other.width) / 2 + _GAP_X


def _line(path: Sequence[_Box]) -> str:
    x, y = path[0].x, path[0].y + path[0].height
    drawn = f"M{x:.1f} {y:.1f}"
    for box in path[1:]:
        half = (y + box.y) / 2
        drawn += f" C{x:.1f} {half:.1f} {box.x:.1f} {half:.1f} {box.x:.1f} {box.y:.1f}"
        x, y = box.x, box.y + box.height
        if box is not path[-1]:
            drawn += f" V{y:.1f}"
    return f'<path d="{drawn}" fill="none" stroke="#5f6b7a" marker-end="url(#end)"/>'


def _drawn(box: _Box, state: str, *, rounded: bool) -> str:
    fill, stroke = _COLOURS.get(state, _COLOURS[""])
    left, radius = box.x - box.width / 2, min(20.0, box.height / 2) if rounded else 5.0
    lines = [
        f'<text x="{box.x:.1f}" y="{box.y + _PAD + 8 + number * _LINE:.1f}" text-anchor="middle" '
        f'fill="{"#16202c" if number == 0 else "#4a5665"}"{' font-weight="600"' if number == 0 else ""}>'
        f"{escape(text)}</text>"
        for number, text in enumerate(box.lines)
    ]
    return (
        f'<rect x="{left:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius:.1f}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.2"/>\n' + "\n".join(lines)
    )
