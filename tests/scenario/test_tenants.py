"""Two tenants on one server: each a cluster of its own, nothing shared, quotas held by the server."""

import os
from pathlib import Path

import pytest

from tests.scenario.claw import Claw

pytestmark = pytest.mark.nats


def test_tenants_share_a_server_and_nothing_else(tmp_path: Path) -> None:
    host = Claw(tmp_path / "host")
    host.env["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    assert host("up", "--nodes", "1", "--detach").code == 0
    acme = Claw(tmp_path / "acme")
    acme.env["XDG_CONFIG_HOME"] = host.env["XDG_CONFIG_HOME"]
    try:
        added = host("tenant", "add", "acme", "--storage", "50MB", "--json")
        assert (added.code, added.answer["context"]) == (0, "acme")
        assert os.stat(added.answer["file"]).st_mode & 0o777 == 0o600
        for wrong in (("add", "acme"), ("add", "a.b"), ("add", "x", "--storage", "much"), ("remove", "nobody")):
            assert host("tenant", *wrong).code in (2, 3, 4), wrong
        assert [row["name"] for row in host("tenant", "list", "--json").answer] == ["acme"]

        assert acme("up", "--context", "acme", "--nodes", "1", "--detach").code == 0
        try:
            for claw, text in ((host, "of the host"), (acme, "of acme")):
                done = claw("submit", "echo", f'{{"text": "{text}"}}', "--id", "same", "--wait", "20s", "--json").answer
                assert done["result"] == text, "the same id is another task there"
            assert [row["id"] for row in acme("tasks", "--json").answer] == ["same"]
            health = {each["name"]: each for each in acme("doctor", "--json").answer["checks"]}
            assert "50" in health["account"]["detail"]
            assert acme("tenant", "list").code == 4
        finally:
            assert acme("down").code == 0
        assert host("tenant", "remove", "acme").code == 0
        assert acme("status", "--context", "acme").code == 4
        assert host("tenant", "list", "--json").answer == []
        assert host("status").code == 0
    finally:
        assert host("down").code == 0
