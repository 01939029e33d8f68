"""A child that dies of a fault before it is ready, as of a damaged file, is started again and told of it."""

import errno
from pathlib import Path

import pytest

from clawactors.app import cluster
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.datafolder import DataFolder
from clawactors.app.processes.start import ControlStart
from clawactors.app.processes.supervisor import Child
from clawactors.eventlog.jetstream import Address


async def test_a_child_that_dies_of_a_fault_is_started_again_and_told(tmp_path: Path) -> None:
    child = Child(
        "tests.app.faulty", ControlStart(address=Address(), data=str(tmp_path), name="c"), tmp_path / "log", str
    )
    try:
        await child.start()
    finally:
        await child.stop()
    assert (tmp_path / "told").read_text() == "SIGBUS"
    assert "Fatal Python error: Bus error" in (tmp_path / "log").read_text()


def test_a_full_disk_keeps_no_process_from_being_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A change of a process id is noted in a file, by the task that starts the process again."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cluster, "write_run", full)
    supervisor = ClusterSupervisor(tmp_path, ClusterPlan())
    with DataFolder.claim(tmp_path) as folder:
        supervisor._pid, supervisor._folder, supervisor._up = 1, folder, True
        supervisor._note()
    assert "No space left on device" in caplog.text
