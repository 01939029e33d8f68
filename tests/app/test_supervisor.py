"""A child that dies of a fault before it is ready, as of a damaged file, is started again and told of it."""

from pathlib import Path

from clawactors.app.processes.start import ControlStart
from clawactors.app.processes.supervisor import Child


async def test_a_child_that_dies_of_a_fault_is_started_again_and_told(tmp_path: Path) -> None:
    child = Child("tests.app.faulty", ControlStart(nats_url="", data=str(tmp_path), name="c"), tmp_path / "log", str)
    try:
        await child.start()
    finally:
        await child.stop()
    assert (tmp_path / "told").read_text() == "SIGBUS"
    assert "Fatal Python error: Bus error" in (tmp_path / "log").read_text()
