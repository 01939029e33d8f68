"""What a process is given beside the settings of the cluster: files, the environment, the command line."""

from pathlib import Path

import pytest

from clawactors.app.archive import ArchiveSettings, write_archive_settings
from clawactors.app.layers import layers_of, options_given
from clawactors.eventlog import InProcessLog, Misconfigured
from clawactors.runtime.settings import LiveSettings
from clawactors.systems.settings import DEFAULTS


def test_the_command_line_counts_before_the_environment_before_files_before_the_default(tmp_path: Path) -> None:
    (tmp_path / "archive.toml").write_text('archive_after = "1d"\n')
    (tmp_path / "settings.toml").write_text('[node]\nslots = 2\nparked = 3\n[archive]\nafter = "2d"\n')
    env = {"CLAW_SETTING_NODE_SLOTS": "4", "CLAW_SETTING_SWEEP_OLDER_THAN": "9d", "CLAW_DATA": "/x"}
    live = LiveSettings(InProcessLog(), layers_of(tmp_path, options_given(slots=6, lease=None), env), "node")
    assert (live.current.node_slots, live.current.node_parked, live.current.node_lease) == (6, 3, 1.5)
    assert live.current.archive_after == 2 * 86_400, "the file of settings hides the one of the archive"
    slots = live.report("node/n1").settings["node.slots"]
    assert (slots.value, slots.origin, slots.source) == (6, "command line", "--slots")
    assert [(each.origin, each.value) for each in slots.hides] == [("environment", 4), ("file", 2), ("default", 5)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("node = 3\n", "there is no setting 'node'"),
        ("[node]\nslot = 3\n", "did you mean node.slots"),
        ("[node]\nslots = true\n", "node.slots can't be True"),
        ("[smtp]\npassword = 'x'\n", "looks like the name of a secret"),
        ("nonsense", "can't be used"),
    ],
)
def test_a_mistake_in_the_file_names_the_file(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(Misconfigured, match=r"settings\.toml") as error:
        layers_of(tmp_path, (), {})
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("CLAW_SETTING_NODE_SLOT", "3", "did you mean node.slots"),
        ("CLAW_SETTING_NODE_SLOTS", " ", "node.slots can't be ' '"),
        ("CLAW_SETTING_SMTP_PASSWORD", "x", "looks like the name of a secret"),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path, variable: str, value: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=variable) as error:
        layers_of(tmp_path, (), {variable: value})
    assert why in str(error.value)


def test_an_empty_variable_gives_nothing() -> None:
    assert layers_of(Path("/"), (), {"CLAW_SETTING_NODE_SLOTS": ""}) == ()


def test_a_node_without_a_data_folder_reads_no_file() -> None:
    assert layers_of(Path("/"), (), {}) == ()


def test_a_restored_archive_hides_no_setting(tmp_path: Path) -> None:
    write_archive_settings(tmp_path, ArchiveSettings(store="s3://bucket"))
    assert layers_of(tmp_path, (), {}) == ()
    write_archive_settings(tmp_path, ArchiveSettings(archive_after="7d"))
    (layer,) = layers_of(tmp_path, (), {})
    assert LiveSettings(InProcessLog(), (layer,)).current.archive_after == 7 * 86_400
    assert DEFAULTS.archive_after == 30 * 86_400
