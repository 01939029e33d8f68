"""`claw demo` as a newcomer runs it: a real server, real processes, a real kill."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = str(Path(__file__).parents[2])


@pytest.mark.nats
def test_the_main_job_runs_and_every_check_of_its_report_holds(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clawactors.app.cli.main", "demo", "--json", "--data", str(tmp_path / "demo")],
        env=os.environ | {"PYTHONPATH": ROOT},
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    report = msgspec.json.decode(done.stdout)
    assert report["ok"], done.stdout
    assert done.returncode == 0
    assert report["rows_copied"] == report["rows"] > 140_000
    assert (report["rows_doubled"], report["replay"]["equal"]) == (0, True)
    assert len(report["steps_run_again"]) <= 1
    assert "\x1b" not in done.stderr
