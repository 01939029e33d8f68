"""Makes `.venv` from the lock files, for the starters beside this file; standard library only.

1. One run at a time: the lock is held by this process and by the pip it starts, so a killed run can't write on.
2. A stamp is written last and removed first: no stamp means unfinished, and what is unfinished is made anew.
3. An environment that something else made is left alone.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OURS = VENV / "made-by-claw"
LOG = VENV / "install.log"
KINDS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}
BUILD = "requirements-build.lock"
OPTIONAL = "hnswlib"  # compiles; without it memory compares vectors exactly


class Unprepared(Exception):
    """The environment can't be made; the text says why and what to do."""


def main(kind: str) -> None:
    """Returns with `.venv` fit for `kind`; a developer's environment stays one."""
    with exclusive() as lock:
        if stamp("dev").exists():
            kind = "dev"
        # Again when a lock changed under the installation, as by a pull meanwhile.
        while not is_ready(kind, digest := wanted(kind)):
            if VENV.exists() and not OURS.exists():
                raise Unprepared(f"{VENV} was made by something else: remove it and run this again")
            install(kind, lock)
            write_stamps(kind, digest)
        write_stamps(kind, digest)


@contextmanager
def exclusive() -> Iterator[int]:
    """Holds the checkout's lock; a file that every checkout has serves as its name."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is preparing .venv, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def stamp(kind: str) -> Path:
    """The file whose presence says that the environment is complete for this kind."""
    return VENV / f"ready-{kind}"


def wanted(kind: str) -> str:
    """Digest of everything that decides what the environment holds."""
    files = [Path(__file__), *(ROOT / name for name in ("pyproject.toml", BUILD, KINDS[kind]))]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


def is_ready(kind: str, digest: str) -> bool:
    """True where the stamp is of this place and this digest, and the interpreter still runs."""
    return is_complete() and stamp(kind).is_file() and stamp(kind).read_text().split("\n")[1:2] == [digest]


def is_complete() -> bool:
    """True for an environment that was finished once, at this place, with an interpreter that still runs."""
    stamps = [file for file in map(stamp, KINDS) if file.is_file()]
    if not any(file.read_text().split("\n")[0] == str(ROOT) for file in stamps) or not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, "-I", "-c", ""], check=False).returncode == 0


def write_stamps(kind: str, digest: str) -> None:
    """Says that the environment is complete; the starters compare the time of these files with that of the locks."""
    for each in ("runtime", "dev") if kind == "dev" else ("runtime",):
        own = wanted(each) if each != kind else digest
        unfinished = stamp(each).with_suffix(".new")
        unfinished.write_text(f"{ROOT}\n{own}\n")
        unfinished.replace(stamp(each))


def install(kind: str, lock: int) -> None:
    """Makes the environment, or brings a complete one up to the locks."""
    if is_complete():
        say("the locked packages changed, updating .venv")
        for each in KINDS:
            stamp(each).unlink(missing_ok=True)
    else:
        say("first run: making .venv with the locked packages, about a minute")
        shutil.rmtree(VENV, ignore_errors=True)
        VENV.mkdir()
        OURS.touch()
        # The real path: a link such as `python3` may lead to another version tomorrow.
        run([os.path.realpath(sys.executable), "-I", "-m", "venv", str(VENV)], lock, {})
    pip = [str(PYTHON), "-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    pip += ["--require-hashes", "--no-build-isolation", "-r"]
    compiler, missing = find_compiler()
    # What compiles has its build requirements locked too, so nothing unlocked is fetched.
    run([*pip, str(ROOT / BUILD)], lock, {})
    required, optional = split((ROOT / KINDS[kind]).read_text())
    # The lock is complete; what packages name beside it serves command lines of theirs that nobody here calls.
    run([*pip, listed("required", required), "--no-deps"], lock, compiler)
    if optional and not missing:
        try:
            run([*pip, listed("optional", optional), "--no-deps"], lock, compiler)
        except Unprepared as error:
            missing = str(error)
    if optional and missing:
        say(f"{OPTIONAL} is not installed, so memory searches vectors exactly (slower with very many): {missing}")
    paths = sysconfig.get_paths("venv", {"base": str(VENV), "platbase": str(VENV)})
    Path(paths["purelib"], "clawactors.pth").write_text(f"{ROOT}\n")


def split(lock: str) -> tuple[str, str]:
    """The lock file without the optional package, and the lines of that package."""
    mine = False
    parts: tuple[list[str], list[str]] = ([], [])
    for line in lock.splitlines(keepends=True):
        if not line.startswith(" "):
            mine = line.startswith(f"{OPTIONAL}==")
        parts[mine].append(line)
    return "".join(parts[False]), "".join(parts[True])


def listed(name: str, text: str) -> str:
    """The path of a requirements file with this text."""
    path = VENV / f"{name}.lock"
    path.write_text(text)
    return str(path)


def find_compiler() -> tuple[dict[str, str], str]:
    """Variables for the build, none if Python's own compiler exists; and what is missing, "" if nothing is."""
    again = "remove .venv and run this again"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return {}, f"no Python.h found: install it (apt-get install python3-dev), {again}"
    for name in (os.environ.get("CXX"), sysconfig.get_config_var("CXX")):
        if name and shutil.which(name.split()[0]):
            return {}, ""
    for cxx, cc in (("c++", "cc"), ("g++", "gcc"), ("clang++", "clang")):
        if shutil.which(cxx) and shutil.which(cc):
            return {"CXX": cxx, "CC": cc}, ""
    return {}, f"no C++ compiler found: install one (apt-get install g++, or xcode-select --install on macOS), {again}"


def run(command: list[str], lock: int, extra: dict[str, str]) -> None:
    """Runs one part of the installation, its output kept in the log.

    Raises: `Unprepared` with the last words of what failed.
    """
    # PIP_USER and PYTHONPATH of the caller would lead the installation elsewhere.
    environment = {**os.environ, **extra, "PIP_USER": "0"}
    environment.pop("PYTHONPATH", None)
    with LOG.open("ab") as log:
        done = subprocess.run(command, stdout=log, stderr=log, pass_fds=(lock,), env=environment, check=False)
    if done.returncode != 0:
        lines = LOG.read_text(errors="replace").strip().splitlines() or [f"exit {done.returncode}"]
        cause = next((line for line in reversed(lines) if line.lstrip().lower().startswith("error")), lines[-1])
        raise Unprepared(f"installing the locked packages failed: {cause.strip()} (all of it: {LOG})")


def say(text: str) -> None:
    """One line for people; standard output belongs to the command."""
    print(f"claw: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (Unprepared, OSError) as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
