"""Machines and people join a running cluster by one pasted line, and are put out again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.claw import Claw
from tests.scenario.joining import ended, invited, joined

pytestmark = pytest.mark.nats


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claw]:
    """The machine where `claw up` runs, with one node."""
    claw = Claw(tmp_path_factory.mktemp("host") / "data")
    assert claw("up", "--nodes", "1", "--detach").code == 0
    try:
        yield claw
    finally:
        assert claw("down").code == 0


def test_a_machine_joins_works_draws_a_new_key_and_is_revoked(host: Claw, tmp_path: Path) -> None:
    box = Claw(tmp_path / "box")
    line = invited(host, "node", "gpu-1")
    node, ready = joined(box, *line)
    assert ready["id"] == "gpu-1"
    assert (tmp_path / "box" / "joined" / "user.creds").stat().st_mode & 0o777 == 0o600
    host.quick("drain", "n1")
    try:
        done = host.quick("submit", "echo", '{"text": "there"}', "--wait", "20s", "--json")
        assert (done.answer["result"], done.answer["node"]) == ("there", "gpu-1")
        row = host.quick("who", "gpu-1", "--json").answer
        assert (row["role"], row["status"], row["invited_by"] != "") == ("node", "joined", True)
        assert host.quick("nodes", "--json").code == box.quick("nodes", "--json").code == 0

        again = Claw(tmp_path / "thief").quick(*line)
        assert again.code == 4
        assert "used: ask for a new one" in again.err

        before = (tmp_path / "box" / "joined" / "user.creds").read_text()
        assert box("rotate").code == 0
        stolen = tmp_path / "stolen.creds"
        stolen.write_text(before)
        stolen.chmod(0o600)
        done = host.quick("submit", "echo", '{"text": "still"}', "--wait", "20s", "--json")
        assert (done.answer["result"], done.answer["node"]) == ("still", "gpu-1")

        revoked = host.quick("revoke", "gpu-1", "--reason", "sold", "--json")
        assert (revoked.code, revoked.answer["status"], revoked.answer["reason"]) == (0, "revoked", "sold")
        refused = box.quick("status")
        assert refused.code == 4
        assert "revoked" in refused.err
    finally:
        host.quick("uncordon", "n1")
        said = ended(node)
    assert "these credentials were revoked" in said
    assert "reason\tsold" in host.quick("who", "gpu-1").out


def test_a_person_asks_as_herself_and_administers_nothing(host: Claw, tmp_path: Path) -> None:
    ada = Claw(tmp_path / "ada")
    assert ada.quick(*invited(host, "client", "ada")).out.strip() == "joined as ada"
    done = ada.quick("submit", "echo", '{"text": "ada"}', "--id", "of-ada", "--user", "ada", "--wait", "20s", "--json")
    assert done.answer["result"] == "ada"
    assert ada.quick("memory", "add", "the gate code is 4711").code == 0
    assert "4711" in ada.quick("memory", "search", "gate code").out
    history = host.quick("task", "of-ada", "--history", "--json").answer
    assert history[0]["by"] == "client/ada"
    for command in (
        ("revoke", "ada"),
        ("drain", "n1"),
        ("key", "add", "k"),
        ("config", "set", "task.retries=1"),
    ):
        refused = ada.quick(*command)
        assert refused.code == 4, (command, refused)
        assert "may not publish to 'claw.do.ada." in refused.err
    assert ada.quick("invite", "node", "mine").code == 4, "invitations are made where the authority is"


def test_an_observer_looks_and_changes_nothing(host: Claw, tmp_path: Path) -> None:
    eve = Claw(tmp_path / "eve")
    assert eve.quick(*invited(host, "observer", "eve")).code == 0
    assert eve.quick("status", "--json").answer["nodes"]["online"] >= 1
    assert eve.quick("tasks", "--json").code == 0
    refused = eve.quick("submit", "echo", '{"text": "x"}')
    assert refused.code == 4
    assert "may not publish to 'claw.do.eve.task'" in refused.err


def test_a_line_for_several_admits_so_many(host: Claw, tmp_path: Path) -> None:
    refused = host.quick("invite", "client", "node", "--uses", "2")
    assert (refused.code, "'node-1' is taken by a process" in refused.err) == (4, True), (
        "it would be the principal of a node"
    )
    line = invited(host, "client", "team", "--uses", "2")
    said = [Claw(tmp_path / name).quick(*line) for name in ("a", "b", "c")]
    assert [each.out.strip() for each in said] == ["joined as team-1", "joined as team-2", ""]
    assert said[2].code == 4
    assert host.quick("who", "team", "--json").answer["members"] == ["team-1", "team-2"]
    assert host.quick("revoke", "team").code == 0
    assert {Claw(tmp_path / name).quick("status").code for name in ("a", "b")} == {4}


def test_what_is_no_line_or_counts_no_longer_is_told(host: Claw, tmp_path: Path) -> None:
    line = invited(host, "client", "bob")
    cut = Claw(tmp_path / "x").quick("join", line[1][:-20])
    assert (cut.code, "is no whole invitation" in cut.err) == (4, True)
    assert Claw(tmp_path / "x").quick("join", "nonsense").code == 4
    assert host.quick("revoke", "bob").code == 0
    late = Claw(tmp_path / "x").quick(*line)
    assert (late.code, "ask for a new one" in late.err) == (4, True)
    renewed = invited(host, "client", "bob")
    assert Claw(tmp_path / "x").quick(*renewed).code == 0
    for name in ("control", "node-1", "../x", "a.b", "*"):
        assert host.quick("invite", "client", name).code == 4, name


def test_a_revoked_machine_joins_again_by_a_new_line_and_names_of_nodes_are_theirs(host: Claw, tmp_path: Path) -> None:
    box = Claw(tmp_path / "box")
    assert box.quick(*invited(host, "client", "zoe")).code == 0
    assert host.quick("revoke", "zoe").code == 0
    assert box.quick("status").code == 4
    assert box.quick(*invited(host, "client", "zoe")).code == 0
    assert box.quick("status").code == 0
    taken = host.quick("invite", "node", "n1")
    assert (taken.code, "a node of this cluster is called 'n1'" in taken.err) == (4, True)
