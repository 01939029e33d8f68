"""Whether the ranking holds for texts that nobody wrote for it: `python -m benchmarks.memory_general`.

Paragraphs of the standard library's documentation are the memory, a module a conversation. Half of a sentence that was
taken out of a paragraph is the question, the rest of that paragraph the evidence. Weights that are fitted too closely
to the labelled set fail here: no speaker, no date, no everyday words, and all texts are long.
"""

import random
import re
import sysconfig
import tempfile
from pathlib import Path

from benchmarks.memory_quality import figures, rankers
from benchmarks.memory_set import Question
from clawactors import memory
from clawactors.memory.text import sentences

__all__ = ["main", "paragraphs", "report"]

PARAGRAPHS = 900
ASKED = 160
_DOCUMENTATION = re.compile(r'"""(.*?)"""', re.DOTALL)
_LEFT_OUT = {"site-packages", "test", "tests", "idlelib"}


def paragraphs(half: int) -> list[tuple[str, list[str]]]:
    """Modules and sentences, of every other module."""
    found = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if _LEFT_OUT & set(path.parts) or sum(path.stem.encode()) % 2 != half:
            continue
        for block in _DOCUMENTATION.findall(path.read_text(encoding="utf-8", errors="ignore")):
            for part in re.split(r"\n\s*\n", block):
                text = " ".join(part.split())
                said = [one for one in sentences(text) if len(one) > 40]
                if 3 <= len(said) <= 8 and text.isascii() and ">>>" not in text:
                    found.append((path.stem, said))
    random.Random(4).shuffle(found)
    return found[:PARAGRAPHS]


def report(half: int) -> dict[str, list[float]]:
    """R@5, R@10, R@20 and MRR of each way to rank."""
    draw = random.Random(4)
    questions, turns = [], []
    for number, (module, said) in enumerate(paragraphs(half)):
        left = list(said)
        if number < ASKED:
            words = left.pop(draw.randrange(len(left))).split()
            questions.append(Question(" ".join(words[: max(6, len(words) // 2)]), frozenset((str(number),))))
        turns.append({"id": str(number), "session": module, "index": number, "text": " ".join(left)})
    with tempfile.TemporaryDirectory() as folder:
        scratch = memory.open_scratch(folder)
        scratch.add_turns(turns)
        found = {name: figures(questions, ranker) for name, ranker in rankers(scratch).items()}
        scratch.close()
    return found


def main() -> None:
    print(f"{'':34}{'R@5':>7}{'R@10':>7}{'R@20':>7}{'MRR':>7}")
    for half in (0, 1):
        print(f"modules {half}: {ASKED} questions")
        for name, row in report(half).items():
            print(f"    {name:30}" + "".join(f"{value:7.3f}" for value in row))


if __name__ == "__main__":
    main()
