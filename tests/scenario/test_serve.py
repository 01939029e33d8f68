"""`claw serve` beside a cluster that runs: SIGTERM ends it in good order, its streams too."""

import asyncio
import http.client
import signal
from asyncio.subprocess import PIPE
from pathlib import Path

import msgspec
import pytest

from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.weblogin import WebLogin
from tests.scenario.claw import Claw
from tests.scenario.system import running

pytestmark = pytest.mark.nats

PATIENCE_S = 30.0


async def test_a_signal_ends_it_and_its_streams_in_good_order(tmp_path: Path) -> None:
    async with running(tmp_path, ClusterPlan(nodes=0)) as system, asyncio.timeout(PATIENCE_S):
        claw = Claw(system.cluster.path)
        command = claw.command("serve", "--json")
        serve = await asyncio.create_subprocess_exec(*command, env=claw.env, stdout=PIPE)
        try:
            assert serve.stdout is not None
            where = msgspec.json.decode(await serve.stdout.readline())["http"].removeprefix("http://")
            connection = http.client.HTTPConnection(where, timeout=PATIENCE_S)
            token = WebLogin(claw.data).token
            await asyncio.to_thread(
                connection.request, "GET", "/api/v1/events", headers={"Authorization": f"Bearer {token}"}
            )
            stream = await asyncio.to_thread(connection.getresponse)
            assert (await asyncio.to_thread(stream.readline)).startswith(b"retry: ")
            serve.send_signal(signal.SIGTERM)
            await asyncio.to_thread(stream.read)  # raises where it is cut
            assert await serve.wait() == 0
            connection.close()
        finally:
            if serve.returncode is None:
                serve.kill()
                await serve.wait()
