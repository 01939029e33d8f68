"""Data folders that can't be used, or not any more: in use, foreign, read-only, full."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clawactors.app.client import Client
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.datafolder import RESERVE_BYTES
from clawactors.app.discovery import discover
from clawactors.eventlog import NoSpace, Unavailable
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.submission import spec_of
from tests.scenario.claw import Claw
from tests.scenario.system import PATIENCE_S, SKILLS, are_gone, family, running, until

pytestmark = pytest.mark.nats

MB = 1 << 20
ENOUGH = RESERVE_BYTES + 64 * MB
"""What a cluster keeps free, and what its streams set aside."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int, str], Path]]:
    """Mounts a small disk, in memory; skips where that is not allowed."""
    mounted: list[Path] = []

    def mount(size: int, options: str = "rw") -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},{options}", "none", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("mounting a small disk needs root")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)  # noqa: S607


def refused(claw: Claw, words: str) -> None:
    """`up` ends with 4 and says why in one line."""
    ended = claw("up", "--json")
    assert (ended.code, ended.err.count("\n")) == (4, 1), ended
    assert words in ended.answer["error"]["message"], ended
    assert "--data" in ended.err


def test_a_second_up_ends_with_4_and_of_two_at_once_one_runs(tmp_path: Path) -> None:
    claw = Claw(tmp_path / "data")
    both = [claw.start("up", "--json", "--nodes", "1") for _ in range(2)]
    try:
        lines = []
        for each in both:
            assert each.stdout is not None
            lines.append(each.stdout.readline())
        assert sorted('"ready":true' in line.replace(" ", "") for line in lines) == [False, True]
        loser = both["ready" in lines[0]]
        assert loser.wait(PATIENCE_S) == 4
        refused(claw, "in use by a running cluster")
        assert claw("status", "--json").code == 0
    finally:
        processes = family(each.pid for each in both if each.poll() is None)
        claw("down")
        for each in both:
            each.kill()
            each.communicate()
    assert are_gone(processes) == []


def test_foreign_folders_are_refused_and_left_alone(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_text("meow")
    refused(Claw(photos), "is not a claw data folder")
    assert [entry.name for entry in photos.iterdir()] == ["cat.jpg"]
    later = tmp_path / "later"
    later.mkdir()
    (later / "claw.json").write_text('{"format": 99, "version": "99.0", "created_at": ""}')
    refused(Claw(later), "was written by claw 99.0")
    (later / "claw.json").write_text("damaged")
    refused(Claw(later), "is damaged")
    file = tmp_path / "file"
    file.write_text("")
    refused(Claw(file), "a file is in the way")


def test_a_read_only_folder_is_refused(disk: Callable[[int, str], Path]) -> None:
    refused(Claw(disk(MB, "ro")), "read-only")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o500)
    refused(Claw(data), "this user may not write there")


def test_a_disk_without_room_is_refused_at_the_start(disk: Callable[[int], Path]) -> None:
    refused(Claw(disk(RESERVE_BYTES - MB) / "data"), "MB are free")


async def test_a_store_without_room_refuses_appends_with_the_reason_and_goes_on_reading(
    disk: Callable[[int], Path],
) -> None:
    large = spec_of("no-such-skill", {"text": "x" * 200_000})  # more would go by reference, and one place hold it
    many = 40  # so many go as a batch, one goes alone
    async with running(disk(ENOUGH + 2 * MB), ClusterPlan(nodes=1, skills=(SKILLS,))) as system:
        async with Client.of(discover(system.cluster.nats_url), timeout_s=12) as client, asyncio.timeout(PATIENCE_S):
            refusal, stored = "", 0
            while "insufficient" not in refusal:  # it may be busy first, and say nothing in time
                try:
                    batch = await client.submit_many(
                        [TaskRequest(f"large-{stored + more}", large) for more in range(many)]
                    )
                    stored += batch.submitted + batch.existing
                except Unavailable as error:
                    refusal = str(error)
        async with Client.of(discover(system.cluster.nats_url), timeout_s=12) as client:
            with pytest.raises(Unavailable, match="insufficient"):
                await client.submit_many([TaskRequest("large-alone", large)])
        assert stored <= (await system.ask("status", fresh=True))["tasks"]["pending"] <= stored + many
        assert (await system.client.ref("large-0").snapshot()).state.life.status == "pending"


async def test_a_disk_that_runs_full_loses_nothing_and_once_there_is_room_all_goes_on(
    disk: Callable[[int], Path],
) -> None:
    async with running(disk(ENOUGH + 32 * MB), ClusterPlan(nodes=2, skills=(SKILLS,))) as system:
        ids = await system.submit(20, steps=20, seconds=0.1)
        waiting = (await system.client.submit("no-such-skill", {})).id
        filler = system.folder / "filler"
        fill(filler)
        async with Client.of(discover(system.cluster.nats_url), timeout_s=2) as client:

            async def is_refused() -> bool:
                try:
                    await client.submit("echo", {"text": "hi"})
                except Unavailable:
                    return True
                return False

            await until(is_refused, "appends are refused")
            began = time.monotonic()
            with pytest.raises(NoSpace, match="the server has no room: "):
                await client.submit("echo", {"text": "x" * 5000})
            assert time.monotonic() - began < 3
            why = await client.why(waiting)
            assert "nothing can be recorded now, of any task: the server has no room" in why.reasons[0]
            report = await system.run_claw("doctor")
            assert report.code == 1
            assert any("free some space" in check["detail"] for check in report.answer["checks"])
            filler.unlink()
            await until(lambda: is_taken(client), "appends are taken again")
            await client.ref(waiting).cancel()
        await system.ended(ids)
        await system.audit()
        await system.replay_is_equal()


def fill(path: Path) -> None:
    """Leaves no byte on the disk of this file."""
    with path.open("wb", buffering=0) as file:
        for size in (MB, 4096):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


async def is_taken(client: Client) -> bool:
    try:
        await client.submit("echo", {"text": "again"}, id="again")
    except Unavailable:
        return False
    return True
