"""The screen of `claw top`: fits the terminal, obeys its keys, and shows text of others as text."""

from types import SimpleNamespace
from typing import Any

import pytest

from clawactors.app.cli.commands import top
from clawactors.app.cli.commands.top import on_key
from clawactors.app.cli.screen import Glance, TopView, frame, selected
from clawactors.runtime.client.rows import TaskRow
from clawactors.testing import Cluster
from tests.app.test_deadletters import breaks


@pytest.fixture
async def glance() -> Glance:
    async with Cluster(skills=[breaks], nodes=3) as cluster:
        await cluster.client.submit("break", id="t-1", name="\x1b[31mred\x07 订单")
        await cluster.settle()
        await cluster.sleep(3)
        overview = await cluster.client.overview(series_s=60)
        nodes = await cluster.client.nodes()
        row = await cluster.client.task("t-1")
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    running = []
    for n in range(100):
        own = {"id": f"t-{n}", "progress": float(n), "node": f"n{n % 3 + 1}"}
        running.append(TaskRow(**fields | own | {"started_at": f"2026-01-01T00:00:{n % 60:02}+00:00"}))
    return Glance(overview, [*nodes] * 20, running)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60), (30, 8), (10, 3), (1, 1)])
async def test_a_frame_fits_the_terminal(glance: Glance, width: int, height: int) -> None:
    view = TopView("nats://somewhere", trouble="no answer: " + "x" * 300)
    lines = frame(glance, view, width, height)
    assert len(lines) <= height
    assert all(line.cell_len <= width and line.plain.isprintable() for line in lines)
    if height >= 24:
        text = "\n".join(line.plain for line in lines)
        assert all(
            word in text for word in ("claw top", "tasks", "rates", "queue", "NODE", "RUNNING", "more nodes", "q quit")
        )


async def test_a_frame_tells_of_what_needs_a_person(glance: Glance) -> None:
    lines = [line.plain for line in frame(glance, TopView("here"), 120, 50)]
    assert lines[1].split(None, 1)[1].startswith("1 ")
    assert any("errors unknown" in line for line in lines)
    assert any("[31mred" in line and "订单" in line and "\x1b" not in line for line in lines)


async def test_keys_pause_sort_filter_and_quit(glance: Glance) -> None:
    view = TopView("here")
    assert selected(glance.running, view)[0].id == "t-0"
    assert on_key(view, "p")
    assert view.paused
    assert on_key(view, "s")
    assert (view.sort, selected(glance.running, view)[0].id) == ("progress", "t-99")
    assert all(on_key(view, key) for key in "/T-9q\x7f")
    assert (view.typing, view.filter) == (True, "T-9")
    assert on_key(view, "\r")
    assert [row.id for row in selected(glance.running, view)][:2] == ["t-99", "t-98"]
    assert len(selected(glance.running, view)) == 11
    assert all(on_key(view, key) for key in "/x\x1b")
    assert (view.typing, view.filter) == (False, "")
    assert not on_key(view, "q")


async def test_a_dumb_terminal_gets_one_frame(
    glance: Glance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def look(_: Any) -> Glance:
        return glance

    shown: list[Any] = []
    monkeypatch.setattr(top, "_look", look)
    monkeypatch.setattr(top, "is_terminal", lambda _: True)
    monkeypatch.setattr(top, "with_client", lambda _, show: shown.append(show))
    monkeypatch.setenv("TERM", "dumb")
    top.run(SimpleNamespace(once=False, json=False, sort="id", filter="", every=1.0))
    assert await shown[0](SimpleNamespace(found=SimpleNamespace(shown="here"))) == 0
    assert "RUNNING" in capsys.readouterr().out
