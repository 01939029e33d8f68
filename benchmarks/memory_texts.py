"""Many different natural texts without a download: the sentences of the standard library's documentation, in pairs."""

import random
import re
import sysconfig
from pathlib import Path
from typing import Any

from memory.text import sentences

__all__ = ["queries", "turns"]

_DOCUMENTATION = re.compile(r'"""(.*?)"""', re.DOTALL)
_SESSION = 20


def _sentences() -> list[str]:
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        for block in _DOCUMENTATION.findall(text):
            for part in re.split(r"\n\s*\n", block):
                found.update(dict.fromkeys(one for one in sentences(" ".join(part.split())) if 30 < len(one) < 300))
    return list(found)


def turns(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Messages as `Scratch.add_turns` takes them, none twice."""
    draw = random.Random(seed)
    known = _sentences()
    made: list[dict[str, Any]] = []
    for nth in range(count):
        text = " ".join(draw.sample(known, draw.choice((1, 1, 2))))
        day = f"20{10 + nth // _SESSION % 14:02}-{1 + nth // 7 % 12:02}-{1 + nth // 3 % 28:02}"
        said = {"speaker": f"speaker{nth % 17}", "text": text}
        made.append({"id": f"t{nth}", "session": f"s{nth // _SESSION}", "index": nth % _SESSION, "date": day, **said})
    return made


def queries(count: int, seed: int = 2) -> list[str]:
    """Questions of a few words that stand together somewhere in the texts, some with words that stand nowhere."""
    draw = random.Random(seed)
    known = _sentences()
    asked = []
    for nth in range(count):
        words = draw.choice(known).split()
        at = draw.randrange(max(len(words) - 6, 1))
        asked.append(" ".join(["what does", *words[at : at + 6], *(["speaker3"] if nth % 5 == 0 else [])]) + "?")
    return asked
