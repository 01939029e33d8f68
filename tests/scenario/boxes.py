"""Runs a Dockerfile without Docker: its instructions in a root of debootstrap, its containers in namespaces."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
LIBRARIES = "libssl3,libffi8,libsqlite3-0,libreadline8,libbz2-1.0,liblzma5,libncursesw6,libuuid1,zlib1g"
PIP = ("/etc/pip.conf", "/etc/xdg/pip", "/root/.config/pip", "/etc/ssl/certs", "/etc/resolv.conf", "/etc/hosts")
"""How pip finds packages on this machine: lent to the root while it is built, no part of an image."""


def can_build() -> bool:
    """True for root on Linux with the tools, and a Python that can be the base image's."""
    tools = all(shutil.which(name) for name in ("debootstrap", "unshare", "chroot", "mount"))
    return sys.platform == "linux" and os.geteuid() == 0 and tools


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """`(NAME, the rest)`, continued lines joined."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", dockerfile.read_text("utf-8")))
    found = []
    for line in filter(str.strip, text.splitlines()):
        name, _, rest = line.strip().partition(" ")
        found.append((name, rest.strip()))
    return found


class Image:
    """What is built: the root of the last stage, and what a container is started with."""

    def __init__(self, folder: Path, dockerfile: Path) -> None:
        self.folder, self.executed = folder, list[str]()
        self.env, self.user, self.cwd = {"PATH": "/usr/local/bin:/usr/bin:/bin"}, "0:0", "/"
        self.entrypoint, self.command, self.health = list[str](), list[str](), list[str]()
        self.volumes = list[str]()
        self._stages = dict[str, Path]()
        self._base = self._made_base()
        for name, rest in instructions(dockerfile):
            getattr(self, f"_{name.lower()}")(rest)
            self.executed.append(name)

    def _made_base(self) -> Path:
        """That of `python:3.13-slim`: Debian, and this interpreter's installation in /usr/local."""
        root = self.folder / "base"
        kept = os.environ.get("CLAW_TEST_DEBIAN", "")
        if kept:
            run("cp", "-a", kept, str(root))
        else:
            include = f"--include=ca-certificates,{LIBRARIES}"
            run("debootstrap", "--variant=minbase", include, "bookworm", str(root))
        installed = Path(sys.base_prefix)
        for part in ("bin", "lib", "include"):
            run("cp", "-a", f"{installed / part}/.", str(root / "usr/local" / part))
        (root / "usr/local/bin/python").unlink(missing_ok=True)
        (root / "usr/local/bin/python").symlink_to(f"python3.{sys.version_info.minor}")
        run("chroot", str(root), "ldconfig")
        return root

    def _from(self, rest: str) -> None:
        image, _, name = rest.partition(" AS ")
        assert image == "python:3.13-slim", "the base that this root stands for"
        self.root = self.folder / (name or "image")
        run("cp", "-a", str(self._base), str(self.root))
        self._stages[name], self.cwd, self.user = self.root, "/", "0:0"

    def _workdir(self, rest: str) -> None:
        self.cwd = rest
        self.inside(rest).mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        words = shlex.split(rest)
        flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
        *sources, target = [word for word in words if not word.startswith("--")]
        origin = self._stages[flags["from"]] if "from" in flags else CHECKOUT
        place = self.inside(target if target.startswith("/") else f"{self.cwd}/{target}")
        for source in sources:
            found = origin / source.lstrip("/")
            if found.is_dir():  # its content, as COPY has it
                place.mkdir(parents=True, exist_ok=True)
                run("cp", "-a", "--no-preserve=ownership", f"{found}/.", str(place))
                for cache in place.rglob("__pycache__") if "from" not in flags else ():  # as .dockerignore leaves out
                    shutil.rmtree(cache)
            else:
                target_file = place / found.name if target.endswith("/") or place.is_dir() else place
                target_file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, target_file, follow_symlinks=False)
                if "chmod" in flags:
                    target_file.chmod(int(flags["chmod"], 8))

    def _run(self, rest: str) -> None:
        lent = "".join(
            f"mkdir -p {self.root}{path if Path(path).is_dir() else os.path.dirname(path)};"
            f"[ -d {path} ] || touch {self.root}{path}; mount --bind {path} {self.root}{path};"
            for path in PIP if Path(path).exists()
        )  # fmt: skip
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_") and "LINKS" not in name}
        env = [f"{name}={value}" for name, value in (self.env | pip | {"HOME": "/root"}).items()]
        inner = shlex.join(["chroot", str(self.root), "env", "-i", *env, "sh", "-ec", f"cd {self.cwd}; {rest}"])
        mounts = f"{lent} mount -t proc proc {self.root}/proc; mount --rbind /dev {self.root}/dev"
        run("unshare", "--mount", "--pid", "--fork", "sh", "-ec", f"{mounts}; exec {inner}")

    def _env(self, rest: str) -> None:
        self.env |= dict(word.split("=", 1) for word in shlex.split(rest))

    def _user(self, rest: str) -> None:
        self.user = rest

    def _volume(self, rest: str) -> None:
        self.volumes.append(rest)

    def _stopsignal(self, rest: str) -> None:
        self.stop = signal.Signals[rest]

    def _healthcheck(self, rest: str) -> None:
        self.health = json.loads(rest.partition("CMD ")[2])

    def _entrypoint(self, rest: str) -> None:
        self.entrypoint = json.loads(rest)

    def _cmd(self, rest: str) -> None:
        self.command = json.loads(rest)

    def inside(self, path: str) -> Path:
        """Where a path of the image is."""
        return self.root / path.lstrip("/")

    def start(self, data: Path, words: Sequence[str], user: str = "", **options: Any) -> "subprocess.Popen[str]":
        """A container: a root that can't be written, `data` at the volume, no HOME, no name, process 1."""
        (volume,) = self.volumes
        view = tempfile.mkdtemp(dir=self.folder)
        env = [f"{name}={value}" for name, value in self.env.items()]
        inner = ["chroot", f"--userspec={user or self.user}", view, "env", "-i", *env, *words]
        steps = (
            f"mount --rbind {self.root} {view}; mount -o remount,bind,ro {view}; mount --bind {data} {view}{volume};"
            f"mount -t proc proc {view}/proc; mount --rbind /dev {view}/dev; exec {shlex.join(inner)}"
        )
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", steps]
        return subprocess.Popen(command, text=True, start_new_session=True, **options)


def run(*command: str) -> None:
    """Raises: `AssertionError` with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, f"{shlex.join(command)[:300]}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
