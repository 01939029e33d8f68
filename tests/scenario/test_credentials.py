"""Credentials in files, as contexts of the nats CLI name them: all processes of a cluster sign in with them."""

import os
from pathlib import Path

import msgspec
import nkeys
import pytest

from clawactors.app.cli.missing import missing
from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog.jetstream import Address
from tests.scenario.system import running
from tests.servers import NatsServer

pytestmark = pytest.mark.nats


def _key(path: Path) -> str:
    """Writes a new seed there; returns its public key."""
    seed = bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
    path.write_bytes(seed)
    return str(nkeys.from_seed(seed).public_key.decode())


async def test_all_processes_sign_in_with_the_key_that_a_context_names(tmp_path: Path) -> None:
    public = _key(tmp_path / "ada.nk")
    folder = tmp_path / "server"
    folder.mkdir()
    server = NatsServer(folder, f"accounts {{ CLAW {{ jetstream: enabled, users: [{{ nkey: {public} }}] }} }}").start()
    try:
        contexts = tmp_path / "config" / "nats" / "context"
        contexts.mkdir(parents=True)
        where = {"url": f"nats://127.0.0.1:{server.port}", "nkey": str(tmp_path / "ada.nk")}
        (contexts / "there.json").write_bytes(msgspec.json.encode(where))
        address = Address.from_context("there", {"XDG_CONFIG_HOME": str(tmp_path / "config")})
        async with running(tmp_path, ClusterPlan(nodes=1, address=address)) as system:
            task = await system.client.submit("echo", {"text": "let in"})
            assert await task.result() == "let in"
            assert system.cluster.nats_url == where["url"]
            offered = {row.name for row in await system.client.skills_known()}
            assert not {"shell", "python"} & offered, "the server is not only for those of this machine"
            assert (await missing(system.client, "shell", {}, "it"))[-1].endswith("start it with --allow shell")
    finally:
        server.kill()
