"""A power cut: what the disk had at that moment is all that is left, and all that was acknowledged is in it."""

import asyncio
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.system import SKILLS, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.soak]

PLAN = ClusterPlan(nodes=1, slots=20, skills=(SKILLS,))


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Mounts the image of a disk, made where it is missing; skips where that is not allowed."""
    mounted: list[Path] = []

    def mount(image: Path) -> Path:
        place = tmp_path / f"on-{image.name}"
        place.mkdir()
        try:
            if not image.exists():
                run("truncate", "-s", "1G", str(image))
                run("mkfs.ext4", "-q", "-F", str(image))
            run("mount", "-o", "loop", str(image), str(place))
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("mounting the image of a disk needs root")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        run("umount", "-l", str(place))


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


async def cut(system: System, image: Path, copy: Path) -> list[str]:
    """Copies the disk while the whole cluster stands still in the midst of work; returns what was acknowledged."""
    submits = [asyncio.create_task(submit_on_and_on(system, writer)) for writer in range(4)]
    try:
        await until(lambda: len(system.submitted) >= 400, "400 tasks are acknowledged")
        parts = ("server", "control", "n1")
        for part in parts:
            system.signal(part, signal.SIGSTOP)
        acknowledged = list(system.submitted)
        await asyncio.to_thread(run, "cp", "--sparse=always", str(image), str(copy))
        for part in parts:
            system.signal(part, signal.SIGCONT)
    finally:
        for submit in submits:
            submit.cancel()
        await asyncio.gather(*submits, return_exceptions=True)
    return acknowledged


async def submit_on_and_on(system: System, writer: int) -> None:
    for number in range(10_000):
        await system.submit(2, "work", f"w{writer}-{number}-", steps=2, seconds=0.02)


async def test_all_that_was_acknowledged_survives_a_power_cut(tmp_path: Path, mount: Callable[[Path], Path]) -> None:
    image, copy = tmp_path / "disk", tmp_path / "disk-after"
    async with running(mount(image), PLAN) as system:
        acknowledged = await cut(system, image, copy)
    async with running(mount(copy), PLAN) as system:
        system.submitted = acknowledged
        system.trace.unlink(missing_ok=True)  # skills wrote it, and nobody synced it
        await system.ended(acknowledged)
        await system.audit()
        await system.replay_is_equal()
