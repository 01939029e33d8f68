# ruff: noqa: RUF001 - full-width and other scripts on purpose
"""Cleaning, sentences, terms, concepts and excerpts, for the scripts and damages that texts come in."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.memory.text import Lexicon, clean, excerpt, fold, sentences
from clawactors.memory.text.sentence import SENTENCE_LIMIT
from clawactors.memory.text.term import TERM_LIMIT, is_unspaced

LEXICON = Lexicon()
ANALYZER = LEXICON.analyzer

HOSTILE = {
    "empty": "",
    "spaces": " \t\n ",
    "binary": "".join(map(chr, range(256))) * 20,
    "half pairs": "a\ud83d b\ude00 c",
    "mixed": "Anna 在北京 купила iPhone за 900€ और चाय 🍵",
    "right to left": "\u202eשלום עולם\u202c مرحبا بالعالم, today",
    "emoji": "👩‍👩‍👧‍👦🇨🇳👍🏽❤️" * 50,
    "combining": "e\u0301" * 5000,
    "one word": "x" * 100_000,
    "dots": "." * 100_000,
    "zero width": "pass\u200bword\ufeff",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_without_harm(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert "\x00" not in cleaned
    assert all(0 < len(term) <= 2 * TERM_LIMIT for term in LEXICON.terms(cleaned))
    assert all(0 < len(part) <= SENTENCE_LIMIT for part in sentences(cleaned))
    assert len(excerpt(cleaned, dict.fromkeys(LEXICON.terms(cleaned), 1.0), ANALYZER.terms)) <= 240


@given(st.text(max_size=300))
def test_any_text_is_read_without_harm(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert fold(fold(cleaned)) == fold(cleaned)
    joined = "".join("".join(sentences(cleaned)).split())
    assert joined == "".join(cleaned.split())
    assert LEXICON.terms(cleaned) == LEXICON.terms(cleaned)


@pytest.mark.parametrize("piece", ["1,", "aB", ". ", "我", "é"])
def test_a_megabyte_takes_time_in_proportion(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        began = time.perf_counter()
        LEXICON.terms(text)
        sentences(text)
        return time.perf_counter() - began

    seconds(10_000)
    assert seconds(1_000_000) < 40 * seconds(100_000) + 1


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The children were running", ["child", "run"]),
        ("She bought two houses", ["buy", "2", "hous"]),
        ("Café ＮＡＩＶＥ naïve", ["cafe", "naiv", "naiv"]),
        ("1,234.5 and 3.50", ["1234.5", "3.50"]),
        ("Anna's", ["anna"]),
        ("Anna\u2019s", ["anna"]),
        ("我在北京", ["北", "在北", "京", "北京"]),
        ("👍 ok", ["👍"]),
        ("pip_install", ["pip", "instal", "pip_install"]),
        ("--dry-run", ["dri", "run", "dryrun"]),
        ("src/main.py", ["src", "main", "py", "src/main.py", "main.py"]),
        ("cache-02", ["cach", "02", "cache-02"]),
        ("v3.8.2", ["3.8.2"]),
        ("C++ C# C", ["c++", "c#", "c"]),
        ("e-mail", ["e", "mail", "email"]),
        ("the US team asks Will", ["us", "will", "team", "ask"]),
        ("she lives here", ["live"]),
        ("their lives", ["life"]),
        ("the leaves", ["leaf"]),
        ("he leaves", ["leav"]),
        ("दाल और दिल", ["दाल", "और", "दिल"]),
        ("தமிழ் எழுத்து", ["தமிழ்", "எழுத்து"]),
        ("مُدَرِّس أحمد", ["مدرس", "احمد"]),
        ("ที่นี่", ["ที่", "นี่", "ที่นี่"]),
        ("서울 날씨", ["서", "울", "서울", "날", "씨", "날씨"]),
        ("３０天", ["30", "天"]),
        ("三十天", ["三", "十", "三十", "天", "十天", "30"]),
        ("臺灣", ["台", "湾", "台湾"]),
        ("🇨🇳🇨🇭👍🏽", ["🇨🇳", "🇨🇭", "👍"]),
        ("שָׁלוֹם", ["שלום"]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert ANALYZER.terms(text) == terms


def test_names_as_programs_write_them_give_parts_and_whole() -> None:
    assert {"modul", "find", "error", "modulenotfounderror"} <= set(ANALYZER.terms("ModuleNotFoundError"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith paid 3.50. He left.", ["Dr. Smith paid 3.50.", "He left."]),
        ("我走了。他说：“好！”然后呢？", ["我走了。", "他说：“好！”", "然后呢？"]),
        ("See e.g. this one. Yes", ["See e.g. this one.", "Yes"]),
        ("a line\nanother", ["a line", "another"]),
        ("Done.我们走。", ["Done.", "我们走。"]),
        ("version 2.1.0 of it", ["version 2.1.0 of it"]),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_concepts_join_words_that_mean_nearly_the_same_in_both_languages() -> None:
    def concepts(text: str) -> set[str]:
        return set(LEXICON.concepts.concepts(text))

    assert concepts("What is her profession?") & concepts("She is employed as a nurse")
    assert concepts("他的职业是什么") & concepts("a job at the harbour")
    assert concepts("purchase") & concepts("I bought it")
    assert not concepts("xyzzy 魑魅")


def test_an_excerpt_holds_the_sentences_that_answer() -> None:
    text = "It rained all day. " * 30 + "The kiln broke in June. We waited. " + "Nothing else happened. " * 30
    weights = dict.fromkeys(ANALYZER.terms("when did the kiln break"), 1.0)
    found = excerpt(text, weights, ANALYZER.terms)
    assert "The kiln broke in June." in found
    assert found.startswith("… ")
    assert found.endswith(" …")
    assert excerpt("short", weights, ANALYZER.terms) == "short"


def test_scripts_without_spaces_are_told_from_spaced_ones() -> None:
    assert is_unspaced("他在哪里工作？")
    assert is_unspaced("林月的iPhone在哪里")
    assert not is_unspaced("where does 月 work?")
    assert not is_unspaced("")


def test_a_text_is_as_long_in_any_script() -> None:
    from collections import Counter

    from clawactors.memory.text.lexicon import length

    english = length(
        Counter(ANALYZER.terms("The night export writes files into the archive and keeps them ninety days"))
    )
    chinese = length(Counter(ANALYZER.terms("夜间导出任务把文件写到归档里保留九十天")))
    assert 0.5 < chinese / english < 2


def test_words_of_chinese_text_are_found() -> None:
    from clawactors.memory.text.rarity import segments

    assert segments("搜索服务为什么中断", frozenset()) == ["搜索", "服务", "为什么", "中断"]


def test_chinese_numerals_are_numbers() -> None:
    from clawactors.memory.text.numeral import numbers

    texts = ("六千二", "二〇二五年", "一百零五", "两万三", "3万", "一样", "二十八日")
    assert [list(numbers(text)) for text in texts] == [["6200"], ["2025"], ["105"], ["23000"], ["30000"], [], ["28"]]


@pytest.mark.parametrize(
    ("one", "other", "like"),
    [
        ("decis", "decid", True),
        ("allerg", "allergi", True),
        ("kubernet", "kubernets", True),
        ("contact", "contain", False),
        ("server", "servic", False),
    ],
)
def test_forms_of_a_word_are_told_from_other_words(one: str, other: str, like: bool) -> None:
    from clawactors.memory.text.spelling import likeness

    assert (likeness(one, other) > 0) is like


def test_each_line_of_synonyms_has_a_name_of_its_own() -> None:
    """The first word names the concept: two lines of one name would mean the same."""
    from collections import Counter

    from clawactors.memory.text.thesaurus import SYNONYMS

    assert [name for name, count in Counter(words[0] for words, _ in SYNONYMS).items() if count > 1] == []
