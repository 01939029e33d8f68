"""Writes `clawactors/app/syncclient.pyi` from the sources of the async client: `python -m tests.app.syncstub`.

The classes themselves are made when the program runs; this says the same to type checkers and editors.
"""

import ast
import builtins
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from clawactors.app import syncclient
from clawactors.app.client import Client
from clawactors.runtime.client.ref import Ref, TypedRef
from clawactors.runtime.client.syncproxy import HIDDEN, is_asynchronous

STUB = Path(syncclient.__file__).with_suffix(".pyi")
OWN = frozenset(("connect", "of", "close", "user", "found"))
"""What the source of `SyncClient` has itself."""

HEAD = '''
"""What type checkers know of `SyncClient`. Made by `python -m tests.app.syncstub`: do not edit it."""

import builtins
from collections.abc import Generator
from types import TracebackType
'''


class Names(ast.NodeTransformer):
    """Turns annotations of async code into those of the other, and notes the names that they use."""

    def __init__(self, listed: bool) -> None:
        self.used: set[str] = set()
        self._listed = listed

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return self.visit(ast.parse(node.value, mode="eval").body) if isinstance(node.value, str) else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in SYNC:
            return ast.Name(SYNC[node.id])
        if node.id == "list" and self._listed:  # the class has a method of that name
            return ast.Attribute(ast.Name("builtins"), "list")
        self.used.add(node.id)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node.value:
            case ast.Name(id="Awaitable"):
                return self.visit(node.slice)
            case ast.Name(id="AsyncIterator" | "AsyncGenerator"):
                return ast.Subscript(ast.Name("Generator"), self.visit(node.slice))
        return self.generic_visit(node)


def module_of(kind: type) -> str:
    """Where its source is; a public class says another module."""
    return next((each.__module__ for each in vars(kind).values() if inspect.isfunction(each)), kind.__module__)


def class_of(kind: type) -> ast.ClassDef:
    """Its source."""
    tree = ast.parse(inspect.getsource(sys.modules[module_of(kind)]))
    [found] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__]
    return found


def definitions(kind: type) -> Iterator[tuple[type, list[ast.FunctionDef | ast.AsyncFunctionDef]]]:
    """Each public method with the class that has it, with its overloads; in the order of the sources."""
    seen: set[str] = set()
    for owner in kind.__mro__:
        if not owner.__module__.startswith("clawactors"):
            continue
        tree = class_of(owner)
        found: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(node)
        for name, nodes in found.items():
            if name not in seen | HIDDEN | OWN:
                seen.add(name)
                yield owner, nodes


def imported(module: str) -> dict[str, tuple[str, str]]:
    """Where the names of a module come from: name → module, name there."""
    names: dict[str, tuple[str, str]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {each.asname or each.name: (node.module, each.name) for each in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.setdefault(node.name, (module, node.name))
        elif isinstance(node, ast.TypeAlias):
            names.setdefault(node.name.id, (module, node.name.id))
    return names


def parts() -> dict[str, type]:
    """The classes of what a client has or gives, such as `claw.schedules`, by the name of the method or property."""
    found: dict[str, type] = {}
    for owner, nodes in definitions(Client):
        match nodes[-1].returns:
            case ast.Name(id=name) | ast.Constant(value=str() as name) if name.isidentifier():
                module, there = imported(module_of(owner)).get(name, ("", ""))
                kind = getattr(import_module(module), there, None) if module.startswith("clawactors.") else None
                if isinstance(kind, type) and kind is not Ref and is_asynchronous(kind):
                    found[nodes[-1].name] = kind
    return found


def method(node: ast.FunctionDef | ast.AsyncFunctionDef, names: Names, *, documented: bool) -> ast.stmt:
    """The method as it stands in the stub."""
    overloaded = any(ast.unparse(each) == "overload" for each in node.decorator_list)
    is_property = any("property" in ast.unparse(each) for each in node.decorator_list)
    arguments = node.args
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if each is not None and each.annotation is not None:
            each.annotation = names.visit(each.annotation)
    arguments.defaults = [_default(each) for each in arguments.defaults]
    arguments.kw_defaults = [None if each is None else _default(each) for each in arguments.kw_defaults]
    assert node.returns is not None, node.name
    text = ast.get_docstring(node)
    decorators = [ast.Name("overload")] if overloaded else [ast.Name("property")] if is_property else []
    if overloaded:
        names.used.add("overload")
    body: list[ast.stmt] = [ast.Expr(ast.Constant(text))] if text and documented else [ast.Expr(ast.Constant(...))]
    return ast.FunctionDef(
        name=node.name,
        args=arguments,
        body=body,
        decorator_list=decorators,
        returns=names.visit(node.returns),
        type_params=node.type_params,
    )


def _default(node: ast.expr) -> ast.expr:
    return node if isinstance(node, ast.Constant) else ast.Constant(...)


def stub() -> str:
    """The text of the stub."""
    wanted: dict[str, set[str]] = {}
    classes: list[ast.stmt] = []
    for kind in (*PARTS, Client):
        own = [
            (owner, nodes)
            for owner, nodes in definitions(kind)
            if kind is not TypedRef or owner is TypedRef  # the rest is that of its base
        ]
        body: list[ast.stmt] = []
        for owner, nodes in own:
            names = Names(listed=any(each[0].name == "list" for _, each in own))
            shown = nodes[:-1] if len(nodes) > 1 else nodes  # an implementation behind its overloads is none to see
            text = ast.get_docstring(nodes[-1])
            for number, node in enumerate(shown):
                if number == 0 and len(nodes) > 1 and text:
                    node.body = [ast.Expr(ast.Constant(text))]
                body.append(method(node, names, documented=number == 0))
            sources = imported(module_of(owner))
            known = {each.name for node in nodes for each in node.type_params} | set(dir(builtins)) | {"Self"}
            known |= {each.__name__ for each in getattr(owner, "__type_params__", ())}
            for name in names.used - known:
                origin, there = ("typing", name) if name == "overload" else sources[name]
                wanted.setdefault(origin, set()).add(name if there == name else f"{there} as {name}")
        text = inspect.getdoc(syncclient.SyncClient if kind is Client else kind) or ""
        body.insert(0, ast.Expr(ast.Constant(text)))
        if kind is Client:
            body[1:1] = ast.parse(_own()).body
        elif kind is Ref:
            body.insert(1, ast.parse("@property\ndef id(self) -> str:\n    'The id of the task.'").body[0])
        bases = [ast.Name("SyncRef")] if kind is TypedRef else []
        name = "SyncClient" if kind is Client else SYNC[kind.__name__]
        parameters = [ast.TypeVar(each.__name__) for each in getattr(kind, "__type_params__", ())]
        classes.append(
            ast.ClassDef(name=name, bases=bases, keywords=[], body=body, decorator_list=[], type_params=parameters)
        )
    wanted.setdefault("typing", set()).update(("Self", "final"))
    wanted.setdefault("clawactors.app.discovery", set()).add("Found")
    lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(wanted.items())]
    shown = sorted((*SYNC.values(), "SyncClient"))
    text = HEAD + "\n".join(lines) + f"\n\n__all__ = {shown!r}\n\n"
    text += "\n\n".join(ast.unparse(ast.fix_missing_locations(each)) for each in classes)
    return _formatted(text)


def _own() -> str:
    """The methods that `SyncClient` has of its own, without their code."""
    kept: list[str] = []
    for node in class_of(syncclient.SyncClient).body:
        if isinstance(node, ast.FunctionDef) and node.name in OWN | {"__enter__"}:
            text: Any = ast.get_docstring(node)
            node.body = [ast.Expr(ast.Constant(text or ...))]
            node.args.defaults = [_default(each) for each in node.args.defaults]
            node.args.kw_defaults = [None if each is None else _default(each) for each in node.args.kw_defaults]
            kept.append(ast.unparse(ast.fix_missing_locations(node)))
    kept.append(
        "def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, "
        "trace: TracebackType | None) -> None: ..."
    )
    return "\n".join(kept)


def _formatted(text: str) -> str:
    for words in (("check", "--fix", "--exit-zero", "--select", "I,F401"), ("format",)):
        command = [sys.executable, "-m", "ruff", words[0], "-q", "--stdin-filename", str(STUB), *words[1:], "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


PARTS = (Ref, TypedRef, *sorted(set(parts().values()), key=lambda part: part.__name__))
SYNC = {part.__name__: f"Sync{part.__name__}" for part in PARTS}

if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
