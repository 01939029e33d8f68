"""The worked example of `docs/memory.md`, command by command and in code, on a real cluster."""

import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from tests.scenario.claw import ROOT, Claw

pytestmark = pytest.mark.nats

PAGE = Path(ROOT, "docs", "memory.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
CODE = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "@skill" in block)
FILES = {
    "notes.md": "# 2024-05-01\n- the glaze cracked\n\n| tool | place |\n|---|---|\n| tongs | shelf 3 |\n",
    "notes/glazes/ash.md": "Ash glaze runs at 1260 degrees.\n",
    "diary.txt": "It rained.\n\nThe clay was wet.\n",
    "facts.jsonl": '{"text": "Rui fixes roofs", "date": "2024-05-01"}\n',
    "conversations.json": """[{"uuid": "c1", "name": "Pots", "chat_messages": [
        {"uuid": "m1", "sender": "human", "text": "My wheel is a Shimpo.", "created_at": "2024-05-01T10:00:00Z"}]}]""",
}
"""What the page imports."""
SAYS = {
    "what happened to the kiln?": "coil",
    "which package failed and why?": "no manifest.json",
    "窑炉怎么了": "电阻丝",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterSupervisor]:
    folder = tmp_path_factory.mktemp("docs")
    (folder / "kiln.py").write_text(CODE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", ROOT)
        async with ClusterSupervisor(
            folder / "data", ClusterPlan(nodes=1, skills=(str(folder / "kiln.py"),))
        ) as cluster:
            yield cluster


@pytest.mark.parametrize("session", SESSIONS, ids=[f"session-{number}" for number in range(len(SESSIONS))])
def test_every_command_of_the_example_works(
    cluster: ClusterSupervisor, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claw = Claw(cluster.path)
    monkeypatch.chdir(cluster.path.parent)
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    for line in session.splitlines():
        program, *words = shlex.split(line)
        assert program == "claw"
        if words[0] == "submit":
            words.append("--wait")
        done = claw.quick(*words)
        assert done.code == (1 if words[0] == "submit" else 0), (line, done.err)
        assert done.out or words[1] in ("about", "search"), line  # what is still being condensed is not there yet
        for question, answer in SAYS.items():
            if question in line:
                assert answer in done.out, (line, done.out)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_code_of_the_example_works(cluster: ClusterSupervisor) -> None:
    names: dict[str, Any] = {}
    exec(compile(CODE, "memory.md", "exec"), names)  # noqa: S102 - our own page
    async with Client.of(discover(nats=cluster.nats_url)) as client:
        texts = await names["example"](client)
        assert texts[0] == "The kiln reached 1240 degrees"
        assert await client.ref("firing-1").result(30) == "The kiln must stay below 1280 degrees"
