"""What orchestrators ask: without a key, soon, and true."""

import asyncio
from types import SimpleNamespace

from clawactors.app.web.health import ClusterHealth
from clawactors.app.weblogin import WebLogin
from clawactors.eventlog import Unavailable
from clawactors.testing import Cluster
from tests.app.web.conftest import guarded


class Asked:
    """A cluster as it is told to be."""

    def __init__(self) -> None:
        self.lacks: str | None = ""
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0

    async def __call__(self) -> "Asked":
        return self

    async def status(self) -> SimpleNamespace:
        self.asked += 1
        await self.answers.wait()
        if self.lacks is None:
            raise Unavailable("nobody leads")
        return SimpleNamespace(lacking=self.lacks)


async def test_a_cluster_is_live_ready_and_started_for_anybody(cluster: Cluster, login: WebLogin) -> None:
    async with guarded(login) as client:
        for path in ("/livez", "/readyz", "/startupz"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"ok": True}), path
            assert answer.headers["cache-control"] == "no-store"
        assert (await client.get("/readyz", headers={"Host": "elsewhere"})).status_code == 403


async def test_ready_goes_and_comes_and_startup_stays() -> None:
    asked, now_s = Asked(), [100.0]
    health = ClusterHealth(asked, lambda: now_s[0])
    asked.lacks = None
    assert await health.lacking() == "control does not answer"
    assert await health.unstarted()
    asked.lacks = ""
    assert not await health.lacking()
    assert not await health.unstarted()
    asked.lacks = "no control process leads"
    assert await health.lacking() == "no control process leads"
    assert not await health.unstarted()
    await health.aclose()


async def test_a_cluster_that_hangs_is_told_soon_and_asked_once() -> None:
    asked, now_s = Asked(), [100.0]
    health = ClusterHealth(asked, lambda: now_s[0])
    assert not await health.lacking()
    asked.answers.clear()
    assert not await health.lacking(), "the answer of a moment ago"
    now_s[0] += 3
    assert set(await asyncio.gather(*(health.lacking() for _ in range(50)))) == {"control does not answer"}
    assert asked.asked == 2
    asked.answers.set()
    assert not await health.lacking()
    await health.aclose()
