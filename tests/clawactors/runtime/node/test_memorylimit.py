from pathlib import Path

import pytest

from clawactors.runtime.node.memorylimit import memory_use_percent


def group(folder: Path, limit: str, used: int, cache: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cache}\n")


def own(tmp_path: Path, inner: str) -> Path:
    file = tmp_path / "own"
    file.write_text(f"1:name=systemd:/x\n0::{inner}\n")
    return file


def test_a_container_has_what_its_group_allows(tmp_path: Path) -> None:
    group(tmp_path / "cg", "1000", 900, cache=400)
    assert memory_use_percent(tmp_path / "cg", own(tmp_path, "/")) == pytest.approx(50)


def test_the_group_nearest_to_its_limit_counts(tmp_path: Path) -> None:
    group(tmp_path / "cg" / "pod", "1000", 800)
    group(tmp_path / "cg" / "pod" / "one", "2000", 800)
    group(tmp_path / "cg" / "pod" / "one" / "leaf", "max", 800)
    assert memory_use_percent(tmp_path / "cg", own(tmp_path, "/pod/one/leaf")) == pytest.approx(80)


def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    group(tmp_path / "cg", "max", 900)
    assert memory_use_percent(tmp_path / "cg", own(tmp_path, "/gone/../..")) is None
    assert memory_use_percent(tmp_path / "cg", tmp_path / "no-proc") is None
