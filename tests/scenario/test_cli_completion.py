"""Tab in bash, zsh and fish: ids and names of the running cluster, by the shells themselves."""

import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.claw import PATIENCE_S, ROOT, Claw
from tests.scenario.terminal import Terminal

pytestmark = pytest.mark.nats

START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source $HOME/bash.sh"),
    "zsh": (["zsh", "-f", "-i"], "fpath=($HOME/zsh $fpath); autoload -Uz compinit; compinit -u -d $HOME/dump"),
    "fish": (["fish", "--no-config", "-i"], "source $HOME/fish.fish"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterSupervisor]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", ROOT)
        async with ClusterSupervisor(tmp_path_factory.mktemp("tab") / "data", ClusterPlan(nodes=1, slots=2)) as cluster:
            yield cluster


@pytest.fixture(scope="module")
def claw(cluster: ClusterSupervisor) -> Claw:
    claw = Claw(cluster.path)
    for id in ("report-7", "report-8", "other-1"):
        assert claw.quick("submit", "echo", '{"text": "hi"}', "--id", id, "--wait").code == 0
    assert claw.quick("schedule", "add", "nightly", "0 3 * * *", "echo", '{"text": "hi"}').code == 0
    return claw


@pytest.fixture(scope="module")
def home(claw: Claw) -> Path:
    """A home directory with `claw` on the path and the scripts."""
    home = claw.data.parent / "home"
    (home / "bin").mkdir(parents=True)
    (home / "zsh").mkdir()
    program = home / "bin" / "claw"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m clawactors.app.cli.main "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for shell, file in (("bash", "bash.sh"), ("zsh", "zsh/_claw"), ("fish", "fish.fish")):
        (home / file).write_text(claw.quick("completion", shell).out)
    return home


@pytest.fixture(params=list(START))
def shell(request: pytest.FixtureRequest, claw: Claw, home: Path) -> Iterator[Terminal]:
    """One that has read its script."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    command, setup = START[request.param]
    env = claw.env | {"HOME": str(home), "PATH": f"{home}/bin:{claw.env['PATH']}", "PS1": "$ "}
    with Terminal(command, env, home) as terminal:
        terminal.type(f"{setup}; echo is-$((40+2))\r" if request.param != "fish" else f"{setup}; echo is-(math 40+2)\r")
        assert terminal.shows("is-42"), terminal.text
        yield terminal


def tab(shell: Terminal, line: str, expected: str) -> None:
    """Presses Tab behind the line until that is shown: on a busy machine an answer may come too late."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        shell.type(f"\x15{line}\t\t")
        if shell.shows(expected, 5):
            return
    raise AssertionError(f"{line}<Tab> shows no {expected!r} but {shell.text!r}")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("claw why rep", "report-"),
        ("claw why report-", "report-8"),
        ("claw cancel other-1 oth", "other-1 other-1"),
        ("claw submit echo --after report-7,oth", "report-7,other-1"),
        ("claw drain n", "drain n1"),
        ("claw tasks --node n", "--node n1"),
        ("claw tasks --node=n", "--node=n1"),
        ("claw schedule pau", "schedule pause"),
        ("claw schedule pause nig", "pause nightly"),
    ],
)
def test_tab_completes_ids_and_names(shell: Terminal, line: str, expected: str) -> None:
    tab(shell, line, expected)


@pytest.fixture
def candidates(claw: Claw) -> Callable[..., list[str]]:
    """What scripts are given, once the cluster has answered in time."""

    def ask(*words: str, known: bool = True) -> list[str]:
        until = time.monotonic() + PATIENCE_S
        while True:
            done = claw("__complete", "--", *words)
            assert (done.code, done.err) == (0, "")
            if done.out or not known or time.monotonic() > until:
                return done.out.split()

    return ask


def test_candidates_fit_what_is_asked_for(cluster: ClusterSupervisor, candidates: Callable[..., list[str]]) -> None:
    assert set(candidates("why", "")) >= {"report-7", "report-8", "other-1"}
    assert candidates("--json", "cancel", "report-7", "report-8", "o") == ["other-1"]
    assert candidates("node", "") == ["set", "n1"]
    assert candidates("node", "set", "n") == ["n1"]
    assert candidates("submit", "ech") == ["echo"]
    assert candidates("submit", "--priority", "u") == ["urgent"]
    assert candidates("tasks", "--node", "=", "n") == ["n1"], "as bash takes --node=n apart"
    apart = re.split("(:)", cluster.nats_url)
    assert candidates("--nats", *apart, "why", "oth") == ["other-1"], "and a URL"


@pytest.mark.parametrize(
    "words",
    [("why", "nobody"), ("signal", "report-7", "rep"), ("tasks", "--limit", ""), ("nosuch", ""), ("--data", "")],
)
def test_where_nothing_fits_there_are_no_candidates(candidates: Callable[..., list[str]], words: tuple[str]) -> None:
    assert candidates(*words, known=False) == []


@pytest.mark.parametrize("server", ["", "nats://127.0.0.1:1", "nats://192.0.2.1:4222"])
def test_without_a_cluster_it_is_silent_and_quick(tmp_path: Path, server: str) -> None:
    claw = Claw(tmp_path / "none")
    line = ("--nats", server, "why", "") if server else ("why", "")
    began = time.monotonic()
    done = subprocess.run(
        claw.command("__complete", "--", *line), env=claw.env, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    bare = time.monotonic()
    claw("why", "t-1")
    assert bare - began < 0.3 + 3 * (time.monotonic() - bare), "0.3 s, beside what Python needs to start"
