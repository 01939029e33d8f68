"""A cluster that other machines reach: TLS with an authority of its own, told to who is invited."""

import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from clawactors.app.identity.joinline import JoinLine
from tests.app.test_pages import blocks
from tests.scenario.claw import Claw
from tests.scenario.joining import ended, invited, joined

pytestmark = pytest.mark.nats

SKILL = """
from clawactors import skill


@skill("train")
def train(task):
    return "trained"
"""
JOIN_S = 5.0
BUSY = 4.0
"""So many times longer it may take on a machine that runs all tests."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claw]:
    """The machine that others reach, here by its loopback; it runs no node."""
    claw = Claw(tmp_path_factory.mktemp("host") / "data")
    assert claw("up", "--nodes", "0", "--listen", "127.0.0.1", "--detach").code == 0
    try:
        yield claw
    finally:
        assert claw("down").code == 0


def test_a_machine_joins_by_one_line_and_works_within_seconds(host: Claw, tmp_path: Path) -> None:
    line = invited(host, "node", "box")
    began_s = time.monotonic()
    node, ready = joined(Claw(tmp_path / "box"), *line)
    try:
        assert ready["nats_url"].startswith("tls://127.0.0.1:")
        first = host.quick("submit", "echo", '{"text": "first"}', "--wait", "20s", "--json").answer
        assert (first["status"], first["node"]) == ("completed", "box")
        assert time.monotonic() - began_s < BUSY * JOIN_S
        assert "shell" not in {row["name"] for row in host.quick("skills", "--json").answer}
    finally:
        ended(node)


def test_a_server_with_another_certificate_is_not_joined(host: Claw, tmp_path: Path) -> None:
    other = Claw(tmp_path / "other")
    assert other("up", "--nodes", "0", "--listen", "127.0.0.1", "--detach").code == 0
    try:
        line = invited(host, "client", "ada")
        swapped = JoinLine.read(line[1])
        place = JoinLine.read(invited(other, "client", "ada")[1]).urls
        caught = Claw(tmp_path / "ada").quick("join", replace(swapped, urls=place).text)
        assert caught.code == 4
        assert "certificate is rejected" in caught.err
        assert Claw(tmp_path / "ada").quick(*line).code == 0, "the secret was not sent to the wrong server"
    finally:
        assert other("down").code == 0


def test_the_page_on_operations_is_heeded(tmp_path: Path) -> None:
    block = next(each for each in blocks("operations.md", "sh") if "claw invite" in each)
    claw = Claw(tmp_path / "data")
    first, invite, who = (shlex.split(line, comments=True)[1:] for line in block.splitlines())
    (tmp_path / "train.py").write_text(SKILL)
    assert claw(*first, "--nodes", "0", "--detach").code == 0
    try:
        line = claw(*invite)
        assert line.code == 0
        node, _ = joined(Claw(tmp_path / "box"), *line.out.split()[1:])
        try:
            assert "gpu-box\tnode\tjoined" in claw(*who).out
            done = claw("submit", "train", "{}", "--wait", "20s", "--json").answer
            assert (done["status"], done["node"], done["result"]) == ("completed", "gpu-box", "trained")
        finally:
            ended(node)
    finally:
        assert claw("down").code == 0
