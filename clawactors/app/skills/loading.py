"""From what people write after `--skills` to `Skill` objects: modules, files and folders, with errors of one line."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Final

import clawactors
from clawactors.app.skills.agent import agent_skill
from clawactors.app.skills.builtin import builtin_skills
from clawactors.eventlog import Misconfigured
from clawactors.systems.skills import Skill

__all__ = ["load_skills"]

_PACKAGE: Final = Path(clawactors.__file__).resolve().parent
_CHECKOUT: Final = _PACKAGE.parent


def load_skills(
    specs: Sequence[str], *, allow: Sequence[str] = (), of_workers: Sequence[Skill] = (), shared: bool = False
) -> list[Skill]:
    """The built-in skills and those in the given modules, `.py` files and folders; `allow` and `shared` are those of
    `builtin_skills`.

    Files find their neighbours by import, modules are also looked for in the working folder. Own skills win over
    built-in ones of the same name.
    Raises: `Misconfigured` for what is missing or broken, holds no skill, or two skills of one name.
    """
    own: dict[str, tuple[Skill, str]] = {skill.name: (skill, "a worker") for skill in of_workers}
    for spec in dict.fromkeys(specs):
        found = {id(skill): (skill, where) for module, where in _modules(spec) for skill in _skills_in(module)}
        if not found:
            raise Misconfigured(f'--skills {spec}: no skill found; mark a function with @skill("name")')
        for skill, where in found.values():
            other, elsewhere = own.setdefault(skill.name, (skill, where))
            if other is not skill:
                raise Misconfigured(f"two skills are named {skill.name!r}, in {elsewhere} and in {where}: rename one")
    named: dict[str, Skill] = {}
    named |= {skill.name: skill for skill in (*builtin_skills(allow, shared=shared), agent_skill(named))}
    named |= {name: skill for name, (skill, _) in own.items()}
    return list(named.values())


def _skills_in(module: ModuleType) -> list[Skill]:
    return [value for value in vars(module).values() if isinstance(value, Skill)]


def _modules(spec: str) -> Iterable[tuple[ModuleType, str]]:
    """The modules that a spec names, each with what to call it to people."""
    path = Path(spec).expanduser()
    if spec and path.is_dir():
        files = sorted(file for file in path.glob("*.py") if not file.name.startswith("_"))
        return [(_file(file, str(file)), str(file)) for file in files]
    if path.suffix == ".py" or "/" in spec:
        if not path.is_file():
            raise Misconfigured(f"--skills {spec}: there is no such file")
        return [(_file(path, spec), spec)]
    return [(_module(spec), spec)]


def _module(name: str) -> ModuleType:
    _let_import(Path.cwd())
    if not all(part.isidentifier() for part in name.split(".")):
        raise Misconfigured(f"--skills {name}: not a module, .py file or folder")
    try:
        return _explained(name, lambda: importlib.import_module(name))
    except Misconfigured as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and f"{name}.".startswith(f"{missing.name}."):
            raise Misconfigured(f"--skills {name}: there is no such module, file or folder") from None
        raise


def _file(path: Path, called: str) -> ModuleType:
    path = path.resolve()
    _let_import(path.parent)
    if _is_what_import_finds(path):  # then neighbours that import it share it
        return _explained(called, lambda: importlib.import_module(path.stem))
    name = f"skills_{sha256(str(path).encode()).hexdigest()[:12]}"
    return sys.modules.get(name) or _explained(called, lambda: _load(name, path))


def _is_what_import_finds(path: Path) -> bool:
    try:
        spec = importlib.util.find_spec(path.stem) if path.stem.isidentifier() else None
    except ValueError:  # a module that was made by hand, such as __main__
        return False
    return spec is not None and spec.origin == str(path)


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("that is no Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _let_import(folder: Path) -> None:
    """Puts the folder after what is installed, but before the checkout, whose folders have names of their own.

    A user's `memory.py` would be hidden by the checkout's `memory/`, which nothing imports by that name.
    """
    if str(folder) not in sys.path:
        checkout = [at for at, entry in enumerate(sys.path) if entry and Path(entry).resolve() == _CHECKOUT]
        sys.path.insert(min(checkout, default=len(sys.path)), str(folder))
    importlib.invalidate_caches()


def _explained(what: str, load: Callable[[], ModuleType]) -> ModuleType:
    try:
        return load()
    except SyntaxError as error:
        at = f"{error.filename}, line {error.lineno}: " if error.lineno else ""
        raise Misconfigured(f"--skills {what}: {at}{error.msg}") from error
    except (Exception, SystemExit) as error:
        # The innermost line of theirs, not of the import machinery or of us.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)]
        at = f"{frames[-1].filename}, line {frames[-1].lineno}: " if frames else ""
        text = " ".join(traceback.format_exception_only(error)[-1].split())
        raise Misconfigured(f"--skills {what}: {at}{text}") from error


def _is_theirs(filename: str) -> bool:
    return not filename.startswith("<") and not Path(filename).resolve().is_relative_to(_PACKAGE)
