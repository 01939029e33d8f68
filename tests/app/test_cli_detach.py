"""`claw up --detach` starts the cluster that it was asked for."""

from pathlib import Path

from clawactors.app.cli.arguments import cluster
from clawactors.app.cli.detach import _command
from clawactors.app.cli.parsing import Parser, options_of

GIVEN = """
--debug --nodes 3 --slots 7 --skills a.py b --skills c --allow os:getpid --secrets s.env --lease 30s --port 4321
--memory-daily off --no-memory-incremental --no-memory-extraction --memory-config m.toml --no-restart
--listen 0.0.0.0 --mirror nats://h:1 --take-over --web --http-port 8421 --worker w.js --chat t.txt
"""
OWN = {"json", "detach", "detached", "data", "lock", "given"}
ELSEWHERE = {"nats", "context", "standby"}
"""Of another kind of cluster, or refused."""


def parser() -> Parser:
    made = Parser("claw up", "")
    cluster.up(made)
    return made


def test_no_option_of_up_is_lost_in_the_background() -> None:
    asked_for = parser()
    options = options_of(asked_for, ["--detach", "--data", "here", *GIVEN.split()])
    options.given = asked_for.given
    plain, child = vars(options_of(parser(), [])), vars(options_of(parser(), _command(options, Path("/there"))[5:]))
    asked = {name: value for name, value in vars(options).items() if name not in OWN}
    assert {name for name in asked if asked[name] == plain[name]} == ELSEWHERE, "each option is given another value"
    assert {name: child[name] for name in asked} == asked
    assert (child["data"], child["json"], child["detached"], child["detach"]) == ("/there", True, True, False)
