"""Who may import what, and what a module shows, each rule with a source that breaks it.

The other rules of the architecture are in `tests/architecture/`.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, TOPS, exported, imports, is_within, module_of, sources

LAYERS = (  # right may import left, never back
    "clawactors.eventlog",
    "clawactors",
    "clawactors.projections",
    "clawactors.memory",
    "clawactors.app",
    "clawactors.testing",
)
OWNERS: dict[str, str | tuple[str, ...]] = {
    "nats": "clawactors.eventlog.jetstream",
    "lmdb": "clawactors.projections",
    "hnswlib": "clawactors.memory",
    "httpx": ("clawactors.agents", "clawactors.memory", "clawactors.runtime.notifications"),
    "pydantic_ai": "clawactors.agents",
    "agents": "clawactors.agents",
    "pymilvus": "clawactors.memory",
    "litestar": "clawactors.app.web",
    "uvicorn": ("clawactors.app.web", "clawactors.app.mcp"),
    "mcp": "clawactors.app.mcp",
    "mcp_types": "clawactors.app.mcp",
    "tokenizers": "clawactors.memory",
    "cronsim": "clawactors.systems.schedules",
}
BANNED_NAMES = {"utils", "helpers", "common", "base", "manager", "misc", "data", "service"}
IMPURE = frozenset(
    {"asyncio", "concurrent", "http", "logging", "multiprocessing", "os", "random", "sched", "secrets", "select"}
    | {"selectors", "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile"}
    | {"threading", "time", "urllib", "uuid"}
)
VALUES = tuple(  # of the log: what pure code may import, and so pure itself
    f"clawactors.eventlog.{name}"
    for name in ("codec", "decoding", "errors", "headers", "nesting", "numbers", "patterns", "record")
)
VALUE_NAMES = {"clawactors.eventlog.timers.TimerMark"}  # a value that lies beside its port
PURE = ("clawactors.kernel", "clawactors.systems", "clawactors.kinds", "clawactors.version", *VALUES)
STAGES = tuple(  # of memory, in the order of the data: right may import left, never back
    f"clawactors.memory.{name}"
    for name in ("text", "item", "ingest", "consolidation", "index", "models", "recall", "process")
)
LIMIT = 20  # entries of clawactors/; more are grouped by a written decision
FACADE = "clawactors.__init__"  # exports public names of all of clawactors, lazily


def layer_of(module: str) -> int | None:
    """The layer that holds a module; the longest name wins, so `clawactors.app` is not `clawactors`."""
    fitting = [number for number, name in enumerate(LAYERS) if is_within(module, name)]
    return max(fitting, key=lambda number: len(LAYERS[number]), default=None)


def is_pure(module: str) -> bool:
    return any(is_within(module, name) for name in PURE)


def origin_of(name: str) -> str:
    """Where a name that `clawactors.eventlog` shows comes from."""
    package, _, shown = name.rpartition(".")
    shows = imports("clawactors.eventlog.__init__", sources()["eventlog/__init__.py"])
    return next((each for each in shows if each.endswith(f".{shown}")), name) if package == LAYERS[0] else name


def is_value(name: str) -> bool:
    origin = origin_of(name)
    return origin in VALUE_NAMES or any(is_within(origin, value) for value in VALUES)


def wrong_imports(path: str, tree: ast.Module) -> Iterator[str]:
    module = module_of(path)
    layer = layer_of(module)
    for name in imports(module, tree):
        top, target = name.split(".")[0], layer_of(name)
        if top in TOPS:
            yield f"{path}: imports {name} by a name of its own: it is clawactors.{name}"
        if target is not None and layer is not None and target > layer and module != FACADE:
            yield f"{path}: {LAYERS[layer]} imports {name}, which lies above it"
        owners = (owner,) if isinstance(owner := OWNERS.get(top, ()), str) else owner
        if owners and not any(is_within(module, each) for each in owners):
            yield f"{path}: imports {top}, which only {' and '.join(owners)} may"
        if is_pure(module):
            if is_within(name, "clawactors.runtime") or is_within(name, "clawactors.app"):
                yield f"{path}: pure code imports {name}"
            elif is_within(name, "clawactors.eventlog") and not is_value(name):
                yield f"{path}: pure code imports {name}: of the log it may know values, not ports"
            elif top in IMPURE:
                yield f"{path}: pure code imports {top}: ids, times and effects come from outside"
            elif top not in sys.stdlib_module_names | {"msgspec", "clawactors"} | OWNERS.keys():
                yield f"{path}: pure code imports {top}: only the standard library, msgspec and values of the log"


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


def wrong_names(path: str) -> Iterator[str]:
    for part in path.removesuffix(".py").split("/"):
        if part in BANNED_NAMES:
            yield f"{path}: {part!r} says nothing about what is in it"


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
                overloaded = any(ast.unparse(each) == "overload" for each in node.decorator_list)
                if name in names and ast.get_docstring(node) is None and not overloaded:
                    yield f"{path}: public {name} has no docstring"


def violations(path: str, tree: ast.Module) -> list[str]:
    return [*wrong_imports(path, tree), *wrong_stages(path, tree), *wrong_names(path), *wrong_exports(path, tree)]


def test_the_sources_keep_every_rule() -> None:
    found = [text for path, tree in sources().items() for text in violations(path, tree)]
    assert not found, "\n".join(found)


def test_the_actor_system_fits_on_one_screen() -> None:
    entries = [entry.name for entry in (ROOT / "clawactors").iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= LIMIT, f"group clawactors/ by a written decision: {sorted(entries)}"


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
        ("clawactors/systems/nodes/events.py", "from clawactors.eventlog import EventLog", "values, not ports"),
        ("clawactors/kernel/fold.py", "from clawactors.eventlog.requests import Requests", "values, not ports"),
        ("eventlog/codec.py", "import asyncio", "pure code imports asyncio"),
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
    found = violations(path, ast.parse(GOOD + source))
    assert any(complaint in text for text in found), found


def test_a_module_without_docstring_is_found() -> None:
    assert violations("memory/recall.py", ast.parse("__all__ = []")) == [
        "memory/recall.py: the module has no docstring"
    ]


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
    assert violations(path, ast.parse(GOOD + source)) == []
