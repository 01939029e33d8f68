"""What makes an earlier note outdated: the same slot, a value of the same kind that differs."""

import pytest

from clawactors.memory.consolidation.claims import claims_in, replaces
from clawactors.systems.memories import Content


def outdated(earlier: str, later: str) -> bool:
    first, second = (claims_in(Content(text=text, owner="mira")) for text in (earlier, later))
    return bool(first) and all(any(replaces(one, other) for one in second) for other in first)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (
            "The SSH port of the build server is 22, as on every other machine.",
            "The SSH port of the build server is now 49222.",
        ),
        ("The build server's SSH port is 22", "The SSH port of the build server is 49222"),
        ("I live in Turin", "I've moved to Graz"),
        ("Ana is the project lead.", "Tom is now the project lead."),
        ("The project lead is Ana.", "Tom is now the project lead."),
        ("The build takes 12 minutes", "The build now takes 7 minutes"),
        ("The deadline is 5 May.", "The deadline has been moved to 12 May."),
        ("项目负责人是王磊。", "项目负责人换成了李娜。"),
        ("I work at Fiat", "I quit Fiat"),
        ("The weekly meeting is on Tuesday at 10.", "The weekly meeting has moved to Thursday."),
        ("The retro starts at 10:00", "The retro now starts at 9:30"),
        ("The default branch is develop", "The default branch is now main"),
        ("The price of the pro plan is $20", "The price of the pro plan is $25"),
        ("We use Postgres for the ledger.", "We switched from Postgres to MySQL for the ledger."),
        ("Kiln temperature: 1200 degrees", "Kiln temperature: 1240 degrees"),
        ("The on-call engineer is Priya", "The on-call engineer is Tom"),
        ("构建服务器的SSH端口是22。", "构建服务器的SSH端口改成了49222。"),
        ("周会在周二。", "周会改到周四了。"),
        ("我住在北京", "我搬家到了武汉"),
        ("我喝咖啡", "我改喝红茶了"),
    ],
)
def test_a_later_value_of_the_slot_replaces_the_earlier(earlier: str, later: str) -> None:
    assert outdated(earlier, later)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("The SSH port of the build server is 22", "The SSH port of the test server is 49222"),
        ("The SSH port of the build server is 22", "The HTTP port of the build server is 8080"),
        ("The SSH port of the build server is 22", "Is the SSH port of the build server 49222?"),
        ("The SSH port of the build server is 22", "The SSH port of the build server is 22."),
        ("Lunch is at 12:00", "Dinner is at 19:00"),
        ("I like tea", "I like coffee"),
        ("The kiln is hot", "The kiln is blue"),
        ("I live in Turin", "Tom lives in Graz"),
        ("Chip ASR1603 runs at 200 MHz", "Chip ASR1605 runs at 240 MHz"),
        ("构建服务器的SSH端口是22", "测试服务器的SSH端口是49222"),
        ("我喜欢红茶", "我喜欢咖啡"),
    ],
)
def test_another_slot_or_the_same_value_replaces_nothing(earlier: str, later: str) -> None:
    assert not outdated(earlier, later)
