"""The Dockerfile and the compose file: every instruction executed, every container started, in a fresh Debian root."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.scenario.boxes import CHECKOUT, Image, can_build, run

CONFIGS = CHECKOUT / "configs" / "container"

pytestmark = [pytest.mark.soak, pytest.mark.skipif(not can_build(), reason="needs root, debootstrap and namespaces")]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(tmp_path_factory.mktemp("image"), CONFIGS / "Dockerfile")


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load((CONFIGS / "compose.yaml").read_text("utf-8"))
    return found


class Boxes:
    """The containers of a test, which share a volume."""

    def __init__(self, image: Image, data: Path) -> None:
        self.image, self.data, self.running = image, data, list[subprocess.Popen[str]]()

    def start(self, *words: str, user: str = "") -> dict[str, Any]:
        made = self.image.start(self.data, [*self.image.entrypoint, "--json", *words], user, stdout=subprocess.PIPE)
        self.running.append(made)
        assert made.stdout is not None
        ready: dict[str, Any] = json.loads(made.stdout.readline())
        assert ready.get("ready"), ready
        return ready

    def run(self, *words: str, user: str = "") -> "subprocess.CompletedProcess[str]":
        made = self.image.start(self.data, words, user, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = made.communicate(timeout=120)
        return subprocess.CompletedProcess(words, made.returncode, out, err)

    def stop(self, made: "subprocess.Popen[str]") -> int:
        self.signal(made, self.image.stop)
        return made.wait(75)

    def signal(self, made: "subprocess.Popen[str]", number: signal.Signals) -> None:
        """Tells process 1: when it is gone, so is all of the container."""
        if made.poll() is None:
            os.kill(int(Path(f"/proc/{made.pid}/task/{made.pid}/children").read_text()), number)


@pytest.fixture
def boxes(image: Image, tmp_path: Path) -> Iterator[Boxes]:
    data = tmp_path / "volume"
    data.mkdir()
    volume = image.inside(image.volumes[0]).stat()  # a new volume is as the image has it
    os.chown(data, volume.st_uid, volume.st_gid)
    data.chmod(volume.st_mode & 0o7777)
    tmp_path.chmod(0o755)
    made = Boxes(image, data)
    yield made
    for each in made.running:
        made.signal(each, signal.SIGKILL)
        each.communicate(timeout=20)


@pytest.mark.timeout(600)
def test_the_image_runs_for_any_user_and_writes_to_its_volume_alone(image: Image, boxes: Boxes) -> None:
    assert {"FROM", "COPY", "RUN", "ENTRYPOINT", "HEALTHCHECK", "USER"} <= set(image.executed)
    for user in ("54321:0", image.user):  # one of the orchestrator's choice, and the image's own
        assert boxes.run(*image.health, user=user).returncode != 0, "nothing runs yet"
        ready = boxes.start(*image.command, user=user)
        assert ready["http"]
        assert boxes.run(*image.health, user=user).returncode == 0
        done = boxes.run(*image.entrypoint, "submit", "shell", '{"argv": ["id", "-u"]}', "--wait", "60s", user=user)
        assert (done.returncode, user.partition(":")[0] in done.stdout) == (0, True), done.stdout + done.stderr
        assert boxes.stop(boxes.running[-1]) == 0
        if user != image.user:
            run("chown", "-R", image.user, str(boxes.data))


@pytest.mark.timeout(600)
def test_after_a_power_cut_nothing_stale_is_in_the_way(image: Image, boxes: Boxes) -> None:
    boxes.start(*image.command)
    boxes.signal(boxes.running[-1], signal.SIGKILL)
    boxes.running[-1].wait()
    boxes.start(*image.command)
    assert boxes.run(*image.health).returncode == 0
    assert boxes.stop(boxes.running[-1]) == 0


@pytest.mark.timeout(600)
def test_the_services_of_the_compose_file_are_one_cluster(boxes: Boxes, compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == [f"{next(iter(compose['volumes']))}:{boxes.image.volumes[0]}"]
        boxes.start(*map(str, service["command"]))
    listed = json.loads(boxes.run(*boxes.image.entrypoint, "--json", "nodes").stdout)
    assert {each["id"] for each in listed} == {name for name in services if name != "cluster"}
    done = boxes.run(*boxes.image.entrypoint, "submit", "shell", '{"argv": ["echo", "from a node"]}', "--wait", "60s")
    assert (done.returncode, "from a node" in done.stdout) == (0, True), done.stdout + done.stderr
    for made in reversed(boxes.running):
        assert boxes.stop(made) == 0


def test_no_file_names_a_registry() -> None:
    for file in CONFIGS.iterdir():
        assert not re.search(r"[a-z0-9-]+\.(io|com|org|net)\b", file.read_text("utf-8")), file.name
