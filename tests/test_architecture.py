"""The rules of the architecture, read from the source with `ast`, each with a source that breaks it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (  # right may import left, never back
    "clawactors.eventlog",
    "clawactors",
    "clawactors.projections",
    "clawactors.memory",
    "clawactors.app",
)
TOPS = ("eventlog", "projections", "memory")  # folders of the checkout, imported below `clawactors`
OWNERS = {
    "nats": "clawactors.eventlog.jetstream",
    "lmdb": "clawactors.projections",
    "hnswlib": "clawactors.memory",
    "cronsim": "clawactors.systems.schedules",
}
BANNED_NAMES = {"utils", "helpers", "common", "base", "manager", "misc", "data", "service"}
IMPURE = frozenset(
    {"asyncio", "concurrent", "http", "logging", "multiprocessing", "os", "random", "sched", "secrets", "select"}
    | {"selectors", "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile"}
    | {"threading", "time", "urllib", "uuid"}
)
PURE = ("clawactors.kernel", "clawactors.systems", "clawactors.kinds", "clawactors.version")
STAGES = tuple(  # of memory, in the order of the data: right may import left, never back
    f"clawactors.memory.{name}" for name in ("text", "item", "ingest", "consolidation", "index", "recall", "process")
)
ACYCLIC = (  # no import cycles among the modules of these packages
    "clawactors.eventlog",
    "clawactors.kernel",
    "clawactors.systems",
    "clawactors.projections",
    "clawactors.memory",
)
LIMIT = 20  # entries of clawactors/; more are grouped by a written decision
FACADE = "clawactors.__init__"  # exports public names of all of clawactors, lazily


def sources() -> list[Path]:
    return sorted(
        path for top in ("eventlog", "clawactors", "projections", "memory") for path in (ROOT / top).rglob("*.py")
    )


def module_of(path: str) -> str:
    module = path.removesuffix(".py").replace("/", ".")
    return f"clawactors.{module}" if module.split(".")[0] in TOPS else module


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def layer_of(module: str) -> int | None:
    """The layer that holds a module; the longest name wins, so `clawactors.app` is not `clawactors`."""
    fitting = [number for number, name in enumerate(LAYERS) if is_within(module, name)]
    return max(fitting, key=lambda number: len(LAYERS[number]), default=None)


def imports(module: str, tree: ast.Module) -> Iterator[str]:
    """Every imported module, wherever in the file; `from a import b` counts as `a.b`, which lies within `a`."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=origin, names=names, level=level):
                parents = module.split(".")[:-level] if level else []
                yield from (".".join([*parents, *filter(None, [origin]), alias.name]) for alias in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name


def is_pure(module: str) -> bool:
    return any(is_within(module, name) for name in PURE)


def wrong_imports(path: str, tree: ast.Module) -> Iterator[str]:
    module = module_of(path)
    layer = layer_of(module)
    for name in imports(module, tree):
        top, target = name.split(".")[0], layer_of(name)
        if top in TOPS:
            yield f"{path}: imports {name} by a name of its own: it is clawactors.{name}"
        if target is not None and layer is not None and target > layer and module != FACADE:
            yield f"{path}: {LAYERS[layer]} imports {name}, which lies above it"
        if top in OWNERS and not is_within(module, OWNERS[top]):
            yield f"{path}: imports {top}, which only {OWNERS[top]} may"
        if is_pure(module):
            if is_within(name, "clawactors.runtime") or is_within(name, "clawactors.app"):
                yield f"{path}: pure code imports {name}"
            elif top in IMPURE:
                yield f"{path}: pure code imports {top}: ids, times and effects come from outside"
            elif top not in sys.stdlib_module_names | {"msgspec", "clawactors"} | OWNERS.keys():
                yield f"{path}: pure code imports {top}: only the standard library, msgspec and eventlog"


def wrong_stages(path: str, tree: ast.Module) -> Iterator[str]:
    """Memory gets its kinds handed in, and its stages import in one direction."""
    module = module_of(path)
    stage = next((number for number, name in enumerate(STAGES) if is_within(module, name)), None)
    for name in imports(module, tree):
        if is_within(module, "clawactors.memory") and is_within(name, "clawactors.kinds"):
            yield f"{path}: memory imports {name}: its kinds are handed in"
        target = next((number for number, each in enumerate(STAGES) if is_within(name, each)), None)
        if stage is not None and target is not None and target > stage:
            yield f"{path}: {STAGES[stage]} imports {name}, a later stage"


def cycles(sources: dict[str, ast.Module]) -> list[list[str]]:
    """The import cycles among modules by name; a package is named `package.__init__`."""
    names = {module.removesuffix(".__init__"): module for module in sources}
    graph: dict[str, set[str]] = {}
    for module, tree in sources.items():
        targets = set()
        for name in imports(module, tree):
            while name and name not in names:
                name = name.rpartition(".")[0]
            if name and names[name] != module:
                targets.add(names[name])
        graph[module] = targets
    found: list[list[str]] = []
    while leaves := {module for module, targets in graph.items() if not targets}:
        graph = {module: targets - leaves for module, targets in graph.items() if module not in leaves}
    while graph:  # whatever imports only what is in a cycle is left as well: walk until a module comes back
        walk = [next(iter(graph))]
        while (following := min(graph[walk[-1]])) not in walk:
            walk.append(following)
        found.append(walk[walk.index(following) :])
        gone = set(walk)
        graph = {module: targets - gone for module, targets in graph.items() if module not in gone}
        while leaves := {module for module, targets in graph.items() if not targets}:
            graph = {module: targets - leaves for module, targets in graph.items() if module not in leaves}
    return found


def wrong_names(path: str) -> Iterator[str]:
    for part in path.removesuffix(".py").split("/"):
        if part in BANNED_NAMES:
            yield f"{path}: {part!r} says nothing about what is in it"


def exported(tree: ast.Module) -> list[str] | None:
    """The names in `__all__`, None where a module has none."""
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                return list(ast.literal_eval(value))
    return None


def wrong_exports(path: str, tree: ast.Module) -> Iterator[str]:
    if ast.get_docstring(tree) is None:
        yield f"{path}: the module has no docstring"
    names = exported(tree)
    stem = Path(path).stem
    if names is None:
        holds_names = any(not isinstance(node, ast.Expr) for node in tree.body)
        if holds_names and (stem == "__init__" or not stem.startswith("_")):
            yield f"{path}: no __all__"
        return
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if name in names and ast.get_docstring(node) is None:
                    yield f"{path}: public {name} has no docstring"


def violations(path: str, source: str) -> list[str]:
    tree = ast.parse(source, path)
    return [*wrong_imports(path, tree), *wrong_stages(path, tree), *wrong_names(path), *wrong_exports(path, tree)]


def test_the_sources_keep_every_rule() -> None:
    found = [text for path in sources() for text in violations(path.relative_to(ROOT).as_posix(), path.read_text())]
    assert not found, "\n".join(found)


def test_the_actor_system_fits_on_one_screen() -> None:
    entries = [entry.name for entry in (ROOT / "clawactors").iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= LIMIT, f"group clawactors/ by a written decision: {sorted(entries)}"


@pytest.mark.parametrize("package", ACYCLIC)
def test_modules_do_not_import_each_other_in_a_circle(package: str) -> None:
    modules = {module_of(path.relative_to(ROOT).as_posix()): path for path in sources()}
    found = cycles({name: ast.parse(path.read_text()) for name, path in modules.items() if is_within(name, package)})
    assert not found, "\n".join(" -> ".join(cycle) for cycle in found)


def test_an_import_cycle_is_found() -> None:
    texts = {
        "a.one": "from a import two",
        "a.two": "def f():\n    from a.three import g",
        "a.three": "from a.one import h",
        "a.four": "import a.one",
        "a.five": "import json",
    }
    (cycle,) = cycles({name: ast.parse(text) for name, text in texts.items()})
    assert sorted(cycle) == ["a.one", "a.three", "a.two"]


GOOD = '"""Fine."""\n'


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        (
            "eventlog/codec.py",
            "import clawactors.kernel.errors",
            "clawactors.eventlog imports clawactors.kernel.errors",
        ),
        ("eventlog/log.py", "from ..kernel import errors", "clawactors.eventlog imports clawactors.kernel.errors"),
        ("eventlog/log.py", "from eventlog import codec", "it is clawactors.eventlog.codec"),
        (
            "clawactors/runtime/actor.py",
            "from clawactors.projections.engine import store",
            "imports clawactors.projections.engine.store",
        ),
        ("clawactors/runtime/node/actor.py", "def f():\n    import clawactors.app.cli", "imports clawactors.app.cli"),
        ("projections/engine/store.py", "from clawactors.memory import recall", "imports clawactors.memory.recall"),
        ("memory/recall.py", "from clawactors.app import settings", "imports clawactors.app.settings"),
        ("clawactors/app/server.py", "import nats", "only clawactors.eventlog.jetstream may"),
        ("eventlog/memory_log.py", "from nats.aio import client", "only clawactors.eventlog.jetstream may"),
        (
            "eventlog/jet.py",
            "import importlib\nimportlib.import_module('nats')",
            "only clawactors.eventlog.jetstream may",
        ),
        ("memory/index.py", "import lmdb", "only clawactors.projections may"),
        ("projections/views/tasks/view.py", "import hnswlib", "only clawactors.memory may"),
        ("clawactors/systems/tasks/decider.py", "import asyncio", "pure code imports asyncio"),
        ("clawactors/systems/tasks/decider.py", "from time import time_ns", "pure code imports time"),
        ("clawactors/kernel/fold.py", "import concurrent.futures", "pure code imports concurrent"),
        ("clawactors/systems/nodes/events.py", "import numpy", "pure code imports numpy"),
        ("clawactors/systems/nodes/events.py", "import cronsim", "only clawactors.systems.schedules may"),
        ("clawactors/systems/nodes/events.py", "from clawactors.runtime import clock", "imports clawactors.runtime"),
        ("clawactors/systems/nodes/events.py", "from ...runtime import clock", "imports clawactors.runtime"),
        ("memory/ingest/notes.py", "from clawactors.memory.index import Index", "a later stage"),
        ("memory/recall/search.py", "from clawactors.memory import process", "a later stage"),
        ("memory/process/actor.py", "from clawactors.kinds import DECODER", "its kinds are handed in"),
        ("memory/utils.py", "", "'utils' says nothing"),
        ("clawactors/common/task.py", "", "'common' says nothing"),
        ("memory/recall.py", "def find(): ...", "no __all__"),
        ("memory/__init__.py", "from clawactors.memory.recall import find", "no __all__"),
        ("memory/recall.py", "__all__ = ['find']\nasync def find(): ...", "public find has no docstring"),
        ("memory/recall.py", "__all__ = ['Find']\nclass Find: ...", "public Find has no docstring"),
    ],
)
def test_a_source_that_breaks_a_rule_is_found(path: str, source: str, complaint: str) -> None:
    assert any(complaint in text for text in violations(path, GOOD + source)), violations(path, GOOD + source)


def test_a_module_without_docstring_is_found() -> None:
    assert violations("memory/recall.py", "__all__ = []") == ["memory/recall.py: the module has no docstring"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("eventlog/jetstream/wire/connection.py", "import nats, asyncio\n__all__ = []"),
        ("projections/engine/store.py", "import lmdb\nfrom clawactors.systems.tasks import TASK\n__all__ = []"),
        ("clawactors/systems/schedules/cron.py", "import cronsim\n__all__ = []"),
        ("clawactors/app/processes.py", "from clawactors import memory, projections\n__all__ = []"),
        ("clawactors/runtime/actor.py", "import asyncio\nfrom clawactors import errors\n__all__ = []"),
        ("clawactors/systems/tasks/decider.py", "import msgspec\nfrom clawactors.eventlog import Codec\n__all__ = []"),
        ("clawactors/__init__.py", "from clawactors.runtime import client\n__all__ = []"),
        ("clawactors/app/cli/__main__.py", "from clawactors.app.cli.main import main\nmain()"),
        ("memory/_postings.py", "X = 1"),
        ("clawactors/app/__init__.py", ""),
        ("clawactors/app/__init__.py", "__all__: list[str] = []"),
    ],
)
def test_a_source_that_keeps_the_rules_passes(path: str, source: str) -> None:
    assert violations(path, GOOD + source) == []
