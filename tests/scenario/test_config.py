"""Settings of a real cluster: the page on configuration, what each process has and why, and what a restart leaves."""

import ast
import asyncio
import os
import re
import shlex
import signal
import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.app.cli.checks import check_settings
from clawactors.app.cli.main import main
from clawactors.app.clusterplan import ClusterPlan
from clawactors.runtime.client.settingrows import SettingOrigin
from clawactors.systems.settings import REGISTRY, ClusterSettings
from clawactors.systems.settings.values import shown
from tests.scenario.system import System, running, until

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")


def test_the_page_has_every_setting_with_what_the_registry_says() -> None:
    for setting in REGISTRY.values():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{setting.name}` |"))
        told = (shown(setting, setting.default) or "none", setting.meaning, setting.takes_effect, *setting.choices)
        assert all(text in row for text in told), row


async def origin(system: System, name: str) -> SettingOrigin:
    """What counts in the one process that reads it."""
    return ((await system.client.config.get(name, origins=True)).origins or ())[0]


async def test_settings_of_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "settings.toml").write_text("[task]\nretries = 4\n")
    monkeypatch.setenv("CLAW_SETTING_NODE_PARKED", "77")
    monkeypatch.setenv("CLAW_DATA", str(data))

    async def claw(*words: str) -> str:
        assert await asyncio.to_thread(main, words) == 0, words
        return capsys.readouterr().err

    async with running(tmp_path, ClusterPlan(nodes=1, memory_daily_s=7200)) as system:
        client, config = system.client, system.client.config
        block = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
        assert block is not None
        source = f"async def page(claw):\n{textwrap.indent(block[1], '    ')}"
        names: dict[str, Any] = {}
        exec(compile(ast.parse(source), "docs/configuration.md", "exec"), names)  # noqa: S102
        await names["page"](client)
        await config.rollback(0)

        for line in re.findall(r"^claw (.*)$", PAGE, re.MULTILINE):
            words = shlex.split(line, comments=True)
            # The page begins where nothing was ever set; here two versions were.
            shifted = [str(int(word) + 2) if word.isdigit() else word for word in words]
            note = await claw(*shifted)
            if "node.parked=500" in words:
                assert "node/n1 has node.parked 77 from environment CLAW_SETTING_NODE_PARKED, which hides" in note
                assert f"node/n1 has task.retries 4 from file {data / 'settings.toml'}, which hides this" in note
        assert (await config.get("archive.after")).text == "9d"

        for name, value, why in (
            ("memory.daily", 7200.0, "command line"),
            ("node.parked", 77, "environment"),
            ("task.retries", 4, "file"),
            ("archive.after", 9 * 86_400.0, "setting"),
            ("node.slots", 5, "default"),
        ):
            counts = await origin(system, name)
            assert (counts.value, counts.origin) == (value, why), name

        assert "node/n1 still has node.slots 5: 7 takes effect when it starts again" in await claw(
            "config", "set", "node.slots", "7"
        )
        assert "to be started again: node/n1 (node.slots)" in (await check_settings(client)).detail
        node = system.cluster.nodes["n1"]
        old, control = node.pid, system.cluster.control
        assert control is not None
        for pid in (old, control.pid):
            os.kill(pid, signal.SIGKILL)

        async def has_seven() -> bool:
            return (await client.node("n1")).slots == 7

        await until(has_seven, "the new node has its slots")
        assert (await origin(system, "archive.after")).value == 9 * 86_400.0, "the new control process knows it"
        assert not (await origin(system, "node.slots")).pending

        await config.change({"memory.extracts": False, "memory.incremental": False})

        async def extracts_no_more() -> bool:
            return not (await client.memories.ask("memory.stats"))["plan"]["extracts"]

        await until(extracts_no_more, "memory goes by it")
        plan = (await client.memories.ask("memory.stats"))["plan"]
        assert plan == {"daily_s": 7200.0, "incremental": False, "extracts": False}, "at once, and under the option"

        first = (await config.history())[0]
        then = await client.at(first.seq).views.row(dict[str, Any], "setting", id="cluster")
        settings = msgspec.convert(then, ClusterSettings)
        assert settings.values == {"archive.after": 604_800.0}, "the views of then"
        await system.replay_is_equal()
