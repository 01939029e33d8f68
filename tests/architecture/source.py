"""The source as `ast` sees it: modules, what they import, what they define; and how known offenders are held."""

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TOPS = ("eventlog", "projections", "memory")
"""Folders of the checkout that are imported below `clawactors`."""


@cache
def sources() -> Mapping[str, ast.Module]:
    """Every module of the package by its path in the checkout."""
    paths = sorted(path for top in (*TOPS, "clawactors") for path in (ROOT / top).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"), str(path)) for path in paths}


def module_of(path: str) -> str:
    """The name that a file is imported by; a package is `package.__init__`."""
    module = path.removesuffix(".py").replace("/", ".")
    return f"clawactors.{module}" if module.split(".")[0] in TOPS else module


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def imports(module: str, tree: ast.Module) -> Iterator[str]:
    """Every imported module, wherever in the file; `from a import b` counts as `a.b`, which lies within `a`."""
    for node in ast.walk(tree):
        yield from _imported(module, node)


def imports_at_start(module: str, tree: ast.Module) -> Iterator[str]:
    """What a module imports when it is imported itself: not within functions, not for type checkers only."""
    waiting: list[ast.AST] = [*tree.body]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), orelse=orelse):
                waiting += orelse
                continue
        yield from _imported(module, node)
        waiting += ast.iter_child_nodes(node)


def _imported(module: str, node: ast.AST) -> Iterator[str]:
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


def hold(offenders: Mapping[str, str], known: Collection[str] = (), *, to_do: str) -> None:
    """Fails for an offender that is not known, and for a known one that has been mended: the list may only shrink.

    `offenders` maps each to what is wrong, `to_do` says how to mend it.
    """
    new = [f"{text}: {to_do}" for name, text in sorted(offenders.items()) if name not in known]
    mended = [f"{name} is all right now: delete it from the known offenders" for name in known if name not in offenders]
    assert not new + mended, "\n".join(new + mended)
