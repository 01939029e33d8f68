"""The page on MCP: its configurations start `claw mcp`, its tables are what there is, its program runs."""

import asyncio
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.app.cli.arguments.mcp import mcp
from clawactors.app.cli.parsing import Parser, options_of
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.mcp.catalogue import ALL_TOOLS
from clawactors.app.mcp.http import url_of
from clawactors.app.mcp.options import GROUPS
from clawactors.app.mcp.prompts import PROMPTS
from clawactors.app.mcp.resources import TEMPLATES
from tests.scenario.claw import PATIENCE_S, ROOT
from tests.scenario.system import running

PAGE = Path(ROOT, "docs", "mcp.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def servers() -> Iterator[dict[str, Any]]:
    """Every server that a configuration names."""
    for document in [*map(msgspec.json.decode, blocks("json")), *map(tomllib.loads, blocks("toml"))]:
        [named] = document.values()
        yield from named.values()


def started() -> Iterator[list[str]]:
    for server in servers():
        if "command" in server:
            command = server["command"]
            yield command if isinstance(command, list) else [command, *server["args"]]
    for line in blocks("console"):
        yield line.split("-- ")[1].split()


def parser() -> Parser:
    made = Parser("claw mcp", "")
    mcp(made)
    return made


def test_configurations_start_the_command_as_it_is() -> None:
    lines = list(started())
    assert len(lines) >= 6
    for program, command, *words in lines:
        assert (program, command) == ("claw", "mcp")
        assert options_of(parser(), words).user == "ada"


def test_addresses_are_those_that_it_serves() -> None:
    url = url_of(options_of(parser(), []).port)
    assert {server["url"] for server in servers() if "url" in server} == {url}
    assert f"`{url}`" in PAGE


def test_tables_have_all_options_tools_resources_and_prompts() -> None:
    options = {word for action in parser()._actions for word in action.option_strings if word.startswith("--")}
    own = options - {"--help", "--data", "--nats", "--context", "--json", "--debug"}
    assert own == set(re.findall(r"`(--[a-z-]+)[^`]*`", PAGE.partition("## Options")[2].partition("## Tools")[0]))
    for group in GROUPS:
        (row,) = re.findall(rf"^\| `{group}` \| (.*) \|$", PAGE, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == {tool.name for tool in ALL_TOOLS if tool.group == group}
    for name in PROMPTS:
        assert f"`{name}`" in PAGE
    for template in TEMPLATES:
        assert template.uri_template in PAGE or template.uri_template.rpartition("/")[2] in PAGE


@pytest.mark.soak
@pytest.mark.nats
async def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    [script] = blocks("python")
    (tmp_path / "ask.py").write_text(script)
    async with running(tmp_path, ClusterPlan(nodes=1)) as system:
        # The SDK passes little of the environment to a server, as editors do.
        kept = "\n".join(f"export {name}={system.claw.env[name]}" for name in ("CLAW_DATA", "PYTHONPATH"))
        command = f'exec {sys.executable} -P -m clawactors.app.cli.main "$@"'
        (tmp_path / "claw").write_text(f"#!/bin/sh\n{kept}\n{command}\n")
        (tmp_path / "claw").chmod(0o755)
        env = system.claw.env | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "ask.py"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (0, "hello\n"), ended.stderr
