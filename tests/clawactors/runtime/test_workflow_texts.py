"""Definitions as texts: what is wrong is told with its line and column, in YAML, TOML and JSON."""

import itertools
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors import InvalidDefinition, Refused
from clawactors.runtime.expressions import Expression
from clawactors.runtime.workflows.checks import compile_plan
from clawactors.runtime.workflows.diagram import edges, mermaid, states_of
from clawactors.runtime.workflows.references import FUNCTIONS
from clawactors.runtime.workflows.source import read_source
from clawactors.runtime.workflows.svg import svg
from clawactors.systems.workflows.definition import params_for, schema

ROOT = Path(__file__).parents[3]


def problems(text: str | bytes, file: str = "w.yaml") -> list[str]:
    with pytest.raises(InvalidDefinition) as raised:
        compile_plan(read_source(text, file))
    return [str(each) for each in raised.value.problems]


def steps(*lines: str) -> str:
    return "workflow: w\nparams: {n: 1}\nsteps:\n" + "\n".join(f"  {line}" for line in lines) + "\n"


TABLE = {
    "unknown field": (
        steps("- id: a", "  skil: x"),
        "w.yaml:5:5: there is no field 'skil' here; did you mean 'skill'?",
    ),
    "unknown field at the top": (
        "workflow: w\nstepz: []\n",
        "w.yaml:2:1: there is no field 'stepz' here; did you mean",
    ),
    "no name": ("steps: [{id: a, value: 1}]", "w.yaml:1:1: this needs the field 'workflow'"),
    "no steps": ("workflow: w\n", "w.yaml:1:1: this needs the field 'steps'"),
    "steps are no list": ("workflow: w\nsteps: {a: 1}\n", "w.yaml:2:8: steps are a list"),
    "a step is a text": ("workflow: w\nsteps:\n  - hello\n", "w.yaml:3:5: a step is a mapping"),
    "a bad name": ("workflow: a b\nsteps: [{id: a, value: 1}]", "w.yaml:1:11: 'a b' is no name"),
    "a bad id": (steps("- id: a-b", "  value: 1"), "w.yaml:4:9: a name has 1 to 64 letters, digits or '_'"),
    "no id": (steps("- value: 1"), "w.yaml:4:5: this needs the field 'id'"),
    "the same id twice": (
        steps("- {id: a, value: 1}", "- {id: a, value: 2}"),
        "w.yaml:5:10: the id 'a' is taken by step 1; rename one",
    ),
    "a wrong type": (steps("- id: a", "  skill: x", "  retry: often"), "w.yaml:6:12: retry: Expected 'int"),
    "nothing to do": (steps("- id: a"), "w.yaml:4:9: step 'a' does nothing: give it one of skill, workflow"),
    "two things to do": (
        steps("- id: a", "  skill: x", "  sleep: 1s"),
        "w.yaml:6:5: step 'a' does several things: skill and sleep; make them steps",
    ),
    "what does not go together": (
        steps("- id: a", "  sleep: 1s", "  undo: {skill: x}"),
        "w.yaml:6:5: 'undo' does not go with 'sleep'; it goes with skill, workflow",
    ),
    "parallel alone": (steps("- id: a", "  skill: x", "  parallel: 3"), "w.yaml:6:5: 'parallel' needs 'for_each'"),
    "a duration": (steps("- id: a", "  sleep: soon"), "w.yaml:5:12: "),
    "a time": (steps("- id: a", "  until: tomorrow"), "w.yaml:5:12: "),
    "after nothing": (
        steps("- id: fetch", "  value: 1", "- id: b", "  value: 1", "  after: [fetsh]"),
        "w.yaml:8:12: there is no step 'fetsh'; did you mean 'fetch'?",
    ),
    "a reference to nothing": (
        steps("- id: a", "  skill: x", "  params: {u: '${steps.b.result}'}"),
        "w.yaml:6:13: there is no step 'b'",
    ),
    "a parameter that is not declared": (
        steps("- id: a", "  value: ${params.m}"),
        "w.yaml:5:12: the parameter 'm' is not declared",
    ),
    "an unknown variable": (
        steps("- id: a", "  if: parms.n > 1", "  value: 1"),
        "w.yaml:5:9: there is no variable 'parms' here; there are params, steps, workflow",
    ),
    "steps computed": (
        steps("- id: a", "  value: '${steps[params.n].result}'"),
        "w.yaml:5:12: name a step, as in steps.ID.result",
    ),
    "syntax": (steps("- id: a", "  value: ${params.n +}"), "w.yaml:5:12: params.n +: column"),
    "an open brace": (steps("- id: a", "  value: 'x ${params.n'"), "w.yaml:5:12: x ${params.n: a ${ has no }"),
    "an empty expression": (steps("- id: a", "  value: ${}"), "w.yaml:5:12: an expression is empty"),
    "waits for itself": (
        steps("- id: a", "  value: ${steps.a.result}"),
        "w.yaml:5:12: step 'a' can't wait for itself",
    ),
    "a cycle": (
        steps("- {id: a, value: 1, after: [c]}", "- {id: b, value: 1, after: [a]}", "- {id: c, value: 1, after: [b]}"),
        "w.yaml:4:10: these steps wait for each other: a -> b -> c -> a; remove one of the references",
    ),
    "a result of nothing": (
        steps("- {id: a, value: 1}") + "result: ${steps.b.result}\n",
        "w.yaml:5:9: there is no step 'b'",
    ),
    "a type that there is not": (
        "workflow: w\nparams:\n  n: {type: intger}\nsteps: [{id: a, value: 1}]\n",
        "w.yaml:3:13: 'intger' is no type; there are any, array, boolean, integer, number, object, string; did",
    ),
    "an answer that there is not": (
        steps("- {id: a, approve: sure, default: maybe}"),
        "w.yaml:4:37: 'maybe' is no default; there are approve, deny",
    ),
    "a priority that there is not": (
        steps("- {id: a, skill: x, priority: hgh}"),
        "w.yaml:4:33: 'hgh' is no priority; there are high, low, normal, urgent; did you mean 'high'?",
    ),
    "a field that no step has": (
        steps("- {id: a, value: 1}", "- {id: b, if: 'steps.a.reslt > 1', value: 1}"),
        "w.yaml:5:17: steps.a has no 'reslt'; it has result, status, error; did you mean 'result'?",
    ),
    "a field that no instance has": (
        steps("- {id: a, value: '${workflow.nam}'}"),
        "w.yaml:4:20: workflow has no 'nam'; it has name, version, id; did you mean 'name'?",
    ),
    "a default of another type": (
        "workflow: w\nparams:\n  n: {type: integer, default: x}\nsteps: [{id: a, value: 1}]\n",
        "w.yaml:3:31: the default of 'n' is not of type integer",
    ),
    "a parameter that can't be named": (
        "workflow: w\nparams: {a-b: 1}\nsteps: [{id: a, value: 1}]\n",
        "w.yaml:2:10: 'a-b' can't be named in expressions",
    ),
    "a variable with a meaning": (
        steps("- id: a", "  skill: x", "  for_each: [1]", "  as: params"),
        "w.yaml:7:9: 'params' has a meaning already",
    ),
    "an attribute of Python": (
        steps("- id: a", '  value: \'${__import__("os").system("x")}\''),
        "w.yaml:5:12: there is no function '__import__'; there are bytes, contains",
    ),
    "an empty field": (steps("- id: a", "  skill:"), "w.yaml:5:5: 'skill' is empty; say what is meant"),
    "an empty list": ("workflow: w\nsteps: []\n", "w.yaml:2:8: a workflow has 1 to 50000 steps, not 0"),
    "its own result in an undo": (
        steps("- {id: a, skill: x, undo: {skill: y, params: {id: '${steps.a.result}'}}}"),
        "w.yaml:4:48: step 'a' can't wait for itself; here its result is named result",
    ),
    # The traps of YAML
    "a duplicate key": ("workflow: w\nsteps: []\nsteps: []\n", "w.yaml:3:1: "),
    "a tab": ("workflow: w\nsteps:\n\t- id: a\n", "w.yaml:3:1: this is not YAML: tabs can't indent YAML; use spaces"),
    "a tag": ("workflow: !!python/object:os.system w\n", "w.yaml:1:11: "),
    "two documents": ("workflow: w\n---\nworkflow: x\n", "w.yaml:3:1: a file holds one definition"),
    "a merge key": ("a: &a {x: 1}\nworkflow: w\nsteps: [{<<: *a, id: b}]\n", "w.yaml:3:10: merge keys (<<)"),
    "an anchor in itself": ("workflow: w\nparams: &a {x: *a}\nsteps: [{id: a, value: 1}]\n", "w.yaml:2:"),
    "not a number": ("workflow: w\nparams: {n: .nan}\n", "w.yaml:2:13: '.nan' is not a number of JSON"),
    "a number of 65 bits": ("workflow: w\nparams: {n: 18446744073709551616}\n", "w.yaml:2:13: a whole number has"),
    "unclosed": ("workflow: w\nsteps: [\n", "w.yaml:3:1: this is not YAML"),
    "empty": ("# nothing\n", "w.yaml:1:1: "),
    "blank": ("  \n", "w.yaml:1:1: the text is empty"),
    "a list": ("- 1\n", "w.yaml:1:1: a definition is a mapping"),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_wrong_is_told_with_its_place(name: str) -> None:
    text, words = TABLE[name]
    found = problems(text)
    assert any(each.startswith(words) for each in found), found
    assert all("\n" not in each for each in found)


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_text() -> None:
    text = steps(
        "- id: a", "  skil: x", "- id: b", "  sleep: soon", "- id: c", "  value: ${steps.nope.result + steps.a.result}"
    )
    found = problems(text)
    assert [each.split(": ")[0] for each in found] == ["w.yaml:5:5", "w.yaml:7:12", "w.yaml:9:12"], found


JSON = """{
  "workflow": "w",
  "steps": [
    {"id": "a", "value": 1},
    {"id": "b", "skil": "x"},
    {"id": "c", "value": "${steps.d.result}", "after": ["a", "e"]}
  ]
}"""
TOML = """workflow = "w"

[[steps]]
id = "a"
value = 1

[[steps]]
id = "b"
skil = "x"

[[steps]]
id = "c"
value = "${steps.d.result}"
after = ["a"]
"""


def test_json_and_toml_have_places_too() -> None:
    assert [each.split(": ")[0] for each in problems(JSON, "w.json")] == ["w.json:5:17", "w.json:6:26", "w.json:6:56"]
    assert [each.split(": ")[0] for each in problems(TOML, "w.toml")] == ["w.toml:9:1", "w.toml:13:1"]
    assert problems('{"workflow": "w",}', "w.json")[0].startswith("w.json:1:17: this is not JSON")
    assert problems('{"a": 1,\n "a": 2}', "w.json")[0].startswith("w.json:2:2: the key 'a' stands twice")
    assert problems("workflow = \n", "w.toml")[0].startswith("w.toml:1:12: this is not TOML")
    assert problems('{"n": NaN}', "w.json")[0].startswith("w.json:1:7: NaN is not JSON")
    assert problems(b"workflow: \xff", "w.yaml")[0] == "w.yaml:1:11: the text is not UTF-8"


def test_all_languages_say_the_same() -> None:
    wanted = {"workflow": "w", "params": {"on": "no"}, "steps": [{"id": "a", "sleep": "5m", "after": []}]}
    for text, file in (
        ("workflow: w\nparams: {on: no}\nsteps: [{id: a, sleep: 5m, after: []}]\n", "w.yaml"),
        ('workflow = "w"\nparams.on = "no"\n[[steps]]\nid = "a"\nsleep = "5m"\nafter = []\n', "w.toml"),
        (json.dumps(wanted), "w.json"),
        (json.dumps(wanted), ""),
    ):
        assert read_source(text, file).value == wanted


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-05-01", "2026-05-01"),
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z"),
        ("012", 12),
        ("0o17", 15),
        ("1e3", 1000.0),
        ("1_000", 1000),
        ("~", None),
        ("", None),
        ("true", True),
        ("5:30", "5:30"),
        ("'1'", "1"),
        ("0x1f", 31),
        ("-3", -3),
    ],
)
def test_a_scalar_of_yaml_is_what_it_looks_like(scalar: str, value: Any) -> None:
    read = read_source(f"value: {scalar}\n", "w.yaml").value["value"]
    assert (read, type(read)) == (value, type(value))


def test_bombs_end_soon_with_a_reason() -> None:
    began = time.process_time()
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    assert "with its aliases written out" in problems(laughs)[0]
    assert "nested more than" in problems("workflow: " + "[" * 5000)[0]
    assert "nested more than" in problems('{"a":' * 60 + "1" + "}" * 60, "w.json")[0]
    assert "at most 4 MB" in problems("x" * (10 << 20))[0]
    assert time.process_time() - began < 5


def test_a_definition_of_2_000_steps_is_read_and_checked_soon() -> None:
    lines = ["workflow: big", "steps:", "  - {id: s0, value: 0}"]
    lines += [f'  - {{id: s{n}, value: "${{steps.s{n - 1}.result + 1}}"}}' for n in range(1, 2_000)]
    began = time.process_time()
    plan = compile_plan(read_source("\n".join(lines), "big.yaml"))
    assert len(plan.steps) == 2_000
    assert len(list(edges(plan))) == 1_999
    assert time.process_time() - began < 5  # 0.3 s alone; what grows with the square takes minutes


def test_a_parameter_fits_or_is_refused() -> None:
    text = "workflow: w\nparams: {n: {type: integer}, rows: [], who: }\nsteps: [{id: a, value: 1}]\n"
    plan = compile_plan(read_source(text))
    assert params_for(plan.definition, {"n": 1, "who": "ada"}) == {"n": 1, "rows": [], "who": "ada"}
    for given, words in (
        ({"who": 1}, "needs 'n'"),
        ({"n": "1", "who": 1}, "'n' takes a value of type integer, not '1'"),
        ({"n": True, "who": 1}, "'n' takes a value of type integer"),
        ({"n": 1, "whom": 1}, "does not take 'whom'; it takes n, rows, who"),
    ):
        with pytest.raises(Refused, match=words):
            params_for(plan.definition, given)


def test_every_function_is_there() -> None:
    time = "timestamp('2026-05-01T00:00:00Z')"
    calls = {"contains": "'a'.contains('a')", "duration": "duration('1h')", "endsWith": "'a'.endsWith('a')"}
    calls |= {"matches": "'a'.matches('a')", "startsWith": "'a'.startsWith('a')", "timestamp": time}
    for name in FUNCTIONS:
        text = f"{time}.{name}()" if name.startswith("get") else calls.get(name, f"{name}('1')")
        assert name in Expression.parse(text).functions
        Expression.parse(f"{text} == {text}").holds({})


def test_needs_follow_from_references() -> None:
    plan = compile_plan(
        read_source(
            steps(
                "- {id: a, value: 1}",
                "- {id: b, value: 1}",
                "- id: c",
                "  if: steps.a.result == 1 && '${steps.x}' != 'steps.y'",
                "  skill: x",
                "  for_each: '${steps[\"b\"].result}'",
                "  params: {text: 'of ${item} ${[1].map(q, q + index)[0]}'}",
                "  undo: {skill: y, params: {id: '${result.id}'}}",
            )
        )
    )
    assert plan.steps["c"].needs == ("a", "b")
    assert plan.skills == ["x", "y"]


def test_the_schema_is_shipped_as_it_is() -> None:
    path = ROOT / "clawactors" / "systems" / "workflows" / "workflow.schema.json"
    made = msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"
    assert path.read_text("utf-8") == made, "claw workflow schema > clawactors/systems/workflows/workflow.schema.json"


def test_the_diagram_of_the_example_is_as_it_is_drawn() -> None:
    plan = compile_plan(read_source((ROOT / "examples" / "nightly.yaml").read_bytes(), "nightly.yaml"))
    assert (ROOT / "examples" / "nightly.svg").read_text("utf-8") == svg(plan)
    assert "collect" in mermaid(plan)


def test_a_diagram_holds_any_text() -> None:
    plan = compile_plan(
        read_source(steps("- {id: a, value: 1}", '- {id: b, after: [a], approve: "<script> \\"]; & \\u0007 ok?"}'))
    )
    drawn, text = svg(plan, {"a": "completed", "b": "running"}), mermaid(plan, {"a": "completed"})
    assert "<script>" not in drawn + text
    assert "&lt;script&gt;" in drawn
    assert '"];' not in text.replace('"]\n', "")
    assert "class s0 completed" in text
    import xml.etree.ElementTree as Tree

    Tree.fromstring(drawn)  # noqa: S314 - our own


def test_in_a_diagram_of_30_steps_nothing_lies_over_another() -> None:
    chance = random.Random(7)
    steps = [
        {
            "id": f"s{n}",
            "skill": "x" * chance.randint(1, 30),
            "after": [f"s{each}" for each in range(n) if chance.random() < 0.1],
        }
        for n in range(30)
    ]
    drawn = svg(compile_plan(read_source(json.dumps({"workflow": "w", "steps": steps}))))
    found = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawn)
    boxes = [(float(x), float(y), float(x) + float(w), float(y) + float(h)) for x, y, w, h in found]
    assert len(boxes) == 30
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    passing = re.findall(r"([\d.]+) ([\d.]+) V([\d.]+)", drawn)
    assert len(passing) > 5
    for x, top, bottom in passing:
        middle = (float(top) + float(bottom)) / 2
        assert not [box for box in boxes if box[0] <= float(x) <= box[2] and box[1] <= middle <= box[3]]


def test_states_are_those_of_children() -> None:
    children = {"a": "completed", "b[0]": "completed", "b[1]": "running", "c[0]": "completed", "c[1]": "dead"}
    assert states_of(children) == {"a": "completed", "b": "running", "c": "failed"}


def test_edges_that_follow_from_others_are_left_out() -> None:
    plan = compile_plan(
        read_source(
            steps("- {id: a, value: 1}", "- {id: b, value: 1, after: [a]}", "- {id: c, value: 1, after: [a, b]}")
        )
    )
    assert list(edges(plan)) == [("a", "b"), ("b", "c")]


PAGE = (ROOT / "docs" / "workflows.md").read_text("utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_definition_of_the_page_is_right(text: str) -> None:
    compile_plan(read_source(text, "w.yaml"))


def test_the_page_names_every_field() -> None:
    from clawactors.systems.workflows.definition import Definition, StepUndo, WorkflowStep

    for kind in (Definition, WorkflowStep, StepUndo):
        for field in kind.__struct_encode_fields__:
            assert re.search(rf"`[^`]*\b{field}\b|\b{field}:", PAGE), field
