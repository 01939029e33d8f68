"""The code map fits the source: the files that it names exist, and each step of a way follows from an earlier one."""

import ast
import re
from functools import cache
from itertools import takewhile

import pytest

from tests.architecture.source import ROOT, TOPS, imports, module_of, sources

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
STEP = re.compile(r"^\d+\. `([\w/.]+\.py)`: (.+)$")
PORT = re.compile(r"\bport `([\w/.]+\.py)`")
SUBJECT = re.compile(r"\bsubject `([^`]+)`")
FILES_MAX = 7

type Step = tuple[str, str]


def ways(page: str) -> dict[str, list[Step]]:
    """The numbered lists of the page, each by its heading and place."""
    found: dict[str, list[Step]] = {}
    heading, count, lines = "", 0, page.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("## "):
            heading, count = line.removeprefix("## "), 0
        elif line.startswith("1. "):
            count += 1
            steps = takewhile(lambda each: re.match(r"\d+\. ", each), lines[number:])
            found[f"{heading} ({count})"] = [match.groups() for each in steps if (match := STEP.match(each))]  # type: ignore[misc]
    return found


WAYS = ways(PAGE)


@cache
def files_by_module() -> dict[str, str]:
    return {module_of(path).removesuffix(".__init__"): path for path in sources()}


@cache
def imported_files(path: str) -> frozenset[str]:
    """The files that a file imports; a name that a package shows leads to the file that defines it."""
    found = set[str]()
    waiting = list(imports(module_of(path), sources()[path]))
    while waiting:
        name = waiting.pop()
        module = name
        while module and module not in files_by_module():
            module = module.rpartition(".")[0]
        if not module:
            continue
        file = files_by_module()[module]
        found.add(file)
        shown = name.removeprefix(f"{module}.")
        if file.endswith("__init__.py") and shown != name and file != path:
            waiting += [each for each in imports(module_of(file), sources()[file]) if each.endswith(f".{shown}")]
    return frozenset(found)


def members(node: ast.ClassDef) -> set[str]:
    """Methods, properties and attributes of a class."""
    names = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store) and ast.unparse(each.value) == "self":
            names.add(each.attr)
    return names


def implements(path: str, port: str) -> bool:
    """A class of the file has all members of a protocol of the port, whose types are mypy's; or the port has only types
    of functions, and the file imports them."""
    classes = [node for node in ast.walk(sources()[path]) if isinstance(node, ast.ClassDef)]
    protocols = [
        node
        for node in ast.walk(sources()[port])
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
    ]
    if not protocols:
        return port in imported_files(path)
    return any(members(protocol) <= members(each) for protocol in protocols for each in classes)


def names_subject(path: str, subject: str) -> bool:
    """The file has the fixed beginning of the subject in a string or a docstring."""
    beginning = subject.partition("<")[0]
    return beginning in (ROOT / path).read_text("utf-8")


def is_next(earlier: list[str], step: Step) -> bool:
    """Whether the step follows from one of the files before it."""
    path, text = step
    if ports := PORT.findall(text):
        port = ports[0]
        knows = [each for each in earlier if port in imported_files(each) or port == each]
        return bool(knows) and (implements(path, port) or any(implements(each, port) for each in knows))
    if any(path in imported_files(each) or each in imported_files(path) for each in earlier):
        return True
    return any(names_subject(path, subject) for subject in SUBJECT.findall(text))


def wrong_steps(name: str, steps: list[Step]) -> list[str]:
    found = [f"{name}: {path} is not there" for path, _ in steps if path not in sources()]
    if found:
        return found
    for number, step in enumerate(steps):
        earlier = [path for path, _ in steps[:number]]
        if earlier and not is_next(earlier, step):
            found.append(f"{name}: {step[0]} neither imports nor is imported by {', '.join(earlier)}")
        found += [
            f"{name}: {step[0]} does not use the subject {subject}"
            for subject in SUBJECT.findall(step[1])
            if not names_subject(step[0], subject)
        ]
    return found


@pytest.mark.parametrize("name", WAYS)
def test_a_way_is_what_the_source_says(name: str) -> None:
    found = wrong_steps(name, WAYS[name])
    assert len(WAYS[name]) > 2, "each step is a line: 1. `file.py`: what it does"
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["from submit to the socket", "from the request to the append"])
def test_a_submission_passes_few_files(name: str) -> None:
    (steps,) = [steps for heading, steps in WAYS.items() if name in heading]
    assert len({path for path, _ in steps}) <= FILES_MAX, f"{name}: {len(steps)} files"


def test_every_file_and_folder_that_the_page_names_exists() -> None:
    tops = "|".join((*TOPS, "clawactors", "tests", "docs", "bin"))
    named = set(re.findall(rf"`((?:{tops})/[\w/.]*)`", PAGE))
    assert len(named) > 40
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert not missing, missing


def test_a_step_that_does_not_follow_is_found() -> None:
    client, decider = "clawactors/runtime/client/client.py", "clawactors/systems/tasks/decider.py"
    assert wrong_steps("x", [(client, "asks"), ("clawactors/gone.py", "gone")]) == [
        "x: clawactors/gone.py is not there"
    ]
    assert wrong_steps("x", [("eventlog/errors.py", "raises"), (decider, "decides")])
    assert wrong_steps("x", [(client, "asks"), ("eventlog/errors.py", "port `eventlog/blobs.py`")])
    assert wrong_steps("x", [(client, "asks"), (decider, "subject `claw.nothing.<id>`")])
