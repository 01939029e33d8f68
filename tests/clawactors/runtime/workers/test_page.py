"""What docs/workers.md says of the protocol is what there is, and its programs run."""

import asyncio
import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.runtime.node.workers import Workers
from clawactors.runtime.node.workers.calls import CALLS
from clawactors.runtime.node.workers.orders import TO_WORKER
from clawactors.runtime.node.workers.protocol import FROM_WORKER, CodeError, SkillDeclaration
from tests.clawactors.runtime.cluster import Cluster

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "workers.md").read_text("utf-8")


def table(after: str) -> dict[str, list[str]]:
    """The names in the columns behind the first, by the name in the first, of the table behind those words."""
    rows = PAGE.partition(after)[2].strip().split("\n\n")[0].splitlines()[2:]
    cells = [row.strip("| ").split(" | ") for row in rows]
    return {each[0].strip("`"): re.findall(r"`(\w+)`", each[1]) for each in cells}


def fields_of(struct: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(struct)]


@pytest.mark.parametrize(
    ("words", "structs"),
    [("From the node to the worker:", TO_WORKER), ("From the worker to the node:", FROM_WORKER)],
)
def test_every_message_stands_on_the_page_with_its_fields(words: str, structs: tuple[Any, ...]) -> None:
    assert table(words) == {each.__struct_config__.tag: fields_of(each) for each in structs}


def test_every_call_stands_on_the_page() -> None:
    assert set(table("## Calls")) == set(CALLS)


def test_skills_and_errors_stand_on_the_page_with_their_fields() -> None:
    [skills] = re.findall(r"A skill in `hello` has (.*?): they mean", PAGE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", skills)) - {"hello"} == set(fields_of(SkillDeclaration))
    [errors] = re.findall(r"\*\*Errors\*\* have (.*?)\. Without", PAGE, re.DOTALL)
    assert re.findall(r"`(\w+)`", errors) == fields_of(CodeError)


@pytest.mark.parametrize("language", ["js", "php"])
async def test_the_programs_of_the_page_run(cluster: Cluster, tmp_path: Path, language: str) -> None:
    program, folder = {"js": ("node", "node"), "php": ("php", "php")}[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    [code] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / f"own.{language}").write_text(code)
    shutil.copy(ROOT / "examples" / "workers" / folder / f"claw.{language}", tmp_path)
    async with Workers([f"{program} {tmp_path}/own.{language}"], "n1") as workers:
        await cluster.control()
        await cluster.node("n1", workers.skills)
        ref = await cluster.client().submit("parcel", {"item": "tea"})
        await ref.signal("courier", "Ada")
        assert await ref.result(10) == "box of tea with Ada"


REPEATER = """
import json, sys
said = json.loads(sys.argv[1])
for kind, expected in said:
    if kind == "<":
        print(json.dumps(expected), flush=True)
        continue
    while (got := json.loads(sys.stdin.readline()))["op"] in ("ping", "refused"):
        if got["op"] == "refused":
            sys.exit(got["message"])
        print(json.dumps({"op": "pong", "id": got["id"]}), flush=True)
    for name, value in expected.items():
        if value != "…" and got.get(name) != value:
            sys.exit(f"{name} of {got} is not {value!r}")
sys.stdin.read()
"""


async def test_the_exchange_on_the_page_is_what_is_said(cluster: Cluster, tmp_path: Path) -> None:
    [block] = [each for each in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) if each.startswith("> ")]
    said = [(line[0], json.loads(line[2:])) for line in block.splitlines()]
    program = tmp_path / "repeats.py"
    program.write_text(REPEATER)
    async with Workers([shlex.join([sys.executable, str(program), json.dumps(said)])], "n1") as workers:
        await cluster.control()
        await cluster.node("n1", workers.skills)
        ref = await cluster.client().submit("greet", {"name": "Ada"}, id="t-1")
        async with asyncio.timeout(10):
            assert await ref.result() == "Hello, Countess Ada!"
