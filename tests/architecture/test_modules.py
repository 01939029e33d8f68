"""Modules are small, import each other in no circle, and no class name is defined twice."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest

from tests.architecture.source import ROOT, hold, imports, imports_at_start, is_within, module_of, sources

LINES_MAX = 250

TOO_LONG = frozenset[str]({})
"""Modules over the limit that somebody is splitting."""
DEFINED_TWICE = frozenset[str]({})
"""Class names that somebody is renaming."""
STRICT = (  # here an import within a function counts as well
    "clawactors.eventlog",
    "clawactors.kernel",
    "clawactors.systems",
    "clawactors.projections",
    "clawactors.memory",
)


def too_long(lines: Mapping[str, int]) -> dict[str, str]:
    return {path: f"{path} has {count} lines" for path, count in lines.items() if count > LINES_MAX}


def test_no_module_is_longer_than_the_limit() -> None:
    lines = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path in sources()}
    hold(too_long(lines), TOO_LONG, to_do=f"split it by duty, {LINES_MAX} lines at most")


def test_a_module_that_is_too_long_is_found() -> None:
    assert too_long({"a.py": LINES_MAX, "b.py": LINES_MAX + 1}) == {"b.py": "b.py has 251 lines"}


def defined_twice(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """Class names that more than one place defines, private ones and nested ones too."""
    places: dict[str, list[str]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    return {name: f"class {name} is in {', '.join(at)}" for name, at in places.items() if len(at) > 1}


def test_no_class_name_is_defined_twice() -> None:
    hold(defined_twice(sources()), DEFINED_TWICE, to_do="one name means one thing: rename all but one")


def test_a_class_name_that_is_defined_twice_is_found() -> None:
    trees = {"a.py": ast.parse("class _Row: ..."), "b.py": ast.parse("def f():\n    class _Row: ...")}
    assert defined_twice(trees) == {"_Row": "class _Row is in a.py:1, b.py:2"}
    assert not defined_twice({"a.py": trees["a.py"]})


def circles(
    trees: Mapping[str, ast.Module], imported: Callable[[str, ast.Module], Iterable[str]]
) -> Iterator[list[str]]:
    """The import circles among modules by name; a package is named `package.__init__`."""
    names = {module.removesuffix(".__init__"): module for module in trees}
    graph: dict[str, set[str]] = {}
    for module, tree in trees.items():
        graph[module] = set()
        for name in imported(module, tree):
            while name and name not in names:
                name = name.rpartition(".")[0]
            if name and names[name] != module:
                graph[module].add(names[name])
    graph = _without_leaves(graph)
    while graph:  # whatever imports only what is in a circle is left as well: walk until a module comes back
        walk = [min(graph)]
        while (following := min(graph[walk[-1]])) not in walk:
            walk.append(following)
        yield walk[walk.index(following) :]
        gone = set(walk)
        graph = _without_leaves({module: to - gone for module, to in graph.items() if module not in gone})


def _without_leaves(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    while leaves := {module for module, targets in graph.items() if not targets}:
        graph = {module: targets - leaves for module, targets in graph.items() if module not in leaves}
    return graph


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    trees = {module_of(path): tree for path, tree in sources().items()}
    found = {" -> ".join(circle): "a circle: " + " -> ".join(circle) for circle in circles(trees, imports_at_start)}
    hold(found, to_do="move what both need to a third module, or hand it in")


@pytest.mark.parametrize("package", STRICT)
def test_within_these_packages_imports_in_functions_count_as_well(package: str) -> None:
    trees = {module_of(path): tree for path, tree in sources().items() if is_within(module_of(path), package)}
    assert trees
    found = [" -> ".join(circle) for circle in circles(trees, imports)]
    assert not found, "\n".join(found)


def test_a_circle_is_found() -> None:
    texts = {
        "a.one": "from a import two",
        "a.two": "import a.three",
        "a.three": "try:\n    from a.one import h\nexcept ImportError: ...",
        "a.four": "import a.one",
        "a.five": "import json",
        "b.one": "import b.two",
        "b.two": "if TYPE_CHECKING:\n    import b.one",
        "c.one": "import c.two",
        "c.two": "def f():\n    import c.one",
    }
    trees = {name: ast.parse(text) for name, text in texts.items()}
    (circle,) = circles(trees, imports_at_start)
    assert sorted(circle) == ["a.one", "a.three", "a.two"]
    assert [min(circle) for circle in circles(trees, imports)] == ["a.one", "b.one", "c.one"]


# What a client may know

LOG_NAMES = frozenset(
    {"EventLog", "Follower", "InProcessLog", "JetStreamLog", "Outputs", "LogSnapshots", "ActorContext"}
)
LOG_VERBS = frozenset({"read", "follow", "head", "append", "append_many", "append_all"})
LOG = re.compile(r"(^|\b|_)log$")
LOG_MODULES = ("log", "inprocess", "outputs", "jetstream")


def log_readings(path: str, tree: ast.Module) -> dict[str, str]:
    """What a module imports or names of logs and stores of output: a client has no right to read them."""
    found: dict[str, str] = {}
    for name in imports(module_of(path), tree):
        module = any(is_within(name, f"clawactors.eventlog.{each}") for each in LOG_MODULES)
        if module or name.rpartition(".")[2] in LOG_NAMES:
            found[name] = f"{path} imports {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in LOG_VERBS and LOG.search(ast.unparse(node.value)):
            found[f"{path}:{node.lineno}"] = f"{path}:{node.lineno} reads {ast.unparse(node)}"
    return found


def test_a_client_asks_and_reads_no_log() -> None:
    clients = {path: tree for path, tree in sources().items() if path.startswith("clawactors/runtime/client/")}
    assert clients
    found = {key: words for path, tree in clients.items() for key, words in log_readings(path, tree).items()}
    hold(found, frozenset(), to_do="ask control: `Questions`, `read_history`")


@pytest.mark.parametrize(
    "source",
    [
        "from clawactors.eventlog import EventLog",
        "from clawactors.eventlog.log import Head",
        "def f():\n    from clawactors.eventlog.jetstream import Connection",
        "from clawactors.runtime.snapshots import LogSnapshots",
        "client.log.read([])",
        "self._log.head()",
    ],
)
def test_a_client_that_reads_a_log_is_found(source: str) -> None:
    assert log_readings("clawactors/runtime/client/a.py", ast.parse(source))
    assert not log_readings("clawactors/runtime/client/a.py", ast.parse("from clawactors.eventlog import Record"))
