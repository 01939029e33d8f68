"""`claw workflow` as far as it needs no cluster: check, schema, usage."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from clawactors.app.cli.main import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "nightly.yaml"
BAD = "workflow: w\nsteps:\n  - id: a\n    skil: x\n  - id: b\n    sleep: soon\n"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAW_DATA", str(tmp_path / "data"))


def test_a_good_file_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workflow", "check", str(EXAMPLE)]) == 0
    out = capsys.readouterr().out
    assert "is all right: workflow nightly with 9 steps" in out
    assert "for each shop in params.shops" in out
    assert main(["workflow", "check", str(EXAMPLE), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["name"], document["steps"], document["skills"][0]) == ("nightly", 9, "collect_sales")


def test_all_that_is_wrong_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(BAD, "utf-8")
    assert main(["workflow", "check", "bad.yaml"]) == 4
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("claw: bad.yaml:4:5: there is no field 'skil' here; did you mean 'skill'?")
    assert "bad.yaml:6:12: " in lines[1]
    assert main(["workflow", "add", "bad.yaml", "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert [(each["line"], each["column"]) for each in document["problems"]] == [(4, 5), (6, 12)]
    assert document["error"]["code"] == "refused"


def test_a_definition_comes_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(BAD.encode())))
    assert main(["workflow", "check", "-"]) == 4
    assert "standard input:4:5: " in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workflow", "schema"]) == 0
    assert "WorkflowStep" in json.loads(capsys.readouterr().out)["$defs"]


@pytest.mark.parametrize(
    "words",
    [
        ["add"],
        ["list", "x"],
        ["show"],
        ["show", "x", "--task", "t"],
        ["run", "x", "--diagram", "svg"],
        ["remove", "x", "--version", "1"],
        ["add", "x.yaml", "{}"],
        ["schema", "x"],
    ],
)
def test_what_does_not_go_together_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workflow", *words]) == 2
    assert f"usage: workflow {words[0]}" in capsys.readouterr().err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workflow", "check", "nope.yaml"]) == 2
    assert "can't read nope.yaml: No such file or directory" in capsys.readouterr().err
