"""A text in short: within the limit, in its own sentences, with keywords."""

import pytest

from clawactors.memory import compress

REPORT = """On Monday the payment service returned errors for forty minutes. Nobody was paged at first.
The cause was an expired certificate on the gateway in Frankfurt. Weather was fine. Ana renewed the certificate at 2.
We talked about lunch. The gateway now renews its certificate by itself, and an alarm warns 14 days before it expires.
The payment service lost 312 orders, all of which were repeated by hand."""
BERICHT = (
    "支付服务周一出错四十分钟。原因是法兰克福网关的证书过期了。安娜下午两点更新了证书。午饭很好吃。"
    "现在网关会自动更新证书。一共丢了三百一十二个订单。"
)


@pytest.mark.parametrize("text", [REPORT, BERICHT, "word " * 5000, "无" * 5000, "", "  ", "a"])
@pytest.mark.parametrize("chars", [0, 1, 10, 80, 200, 100_000])
def test_a_compressed_text_has_at_most_so_many_characters(text: str, chars: int) -> None:
    short = compress(text, chars)
    assert len(short.text) == short.chars <= chars
    assert short.chars <= short.chars_before
    assert short.tokens <= max(short.tokens_before, 1)
    assert len(short.keywords) <= 5


def test_what_matters_is_kept_in_the_texts_own_sentences() -> None:
    short = compress(REPORT, 200, keywords=4)
    assert "certificate" in short.text
    assert "lunch" not in short.text
    assert all(sentence.strip() in REPORT.replace("\n", " ") for sentence in short.text.split(". "))
    assert len(short.keywords) == 4
    assert "certificate" in short.keywords
    assert compress(REPORT, keywords=0).keywords == ()
    assert "证书" in compress(BERICHT, 60).text


def test_of_markdown_the_prose_is_compressed() -> None:
    page = f"# Incidents\n\n```sh\nclaw submit shell | payment service certificate\n```\n\n## Monday\n\n{REPORT}\n"
    short = compress(page, 200)
    assert "certificate" in short.text
    assert not any(mark in short.text for mark in ("#", "claw", "```", "Incidents"))
    assert compress("```\n" + "x = 1\n" * 100 + "```", 50).text


def test_the_sizes_before_and_after_are_told_as_asked() -> None:
    short = compress(REPORT, 100, count=len)
    assert (short.chars_before, short.tokens_before, short.tokens) == (len(REPORT), len(REPORT), short.chars)
    with pytest.raises(ValueError, match="0 or more"):
        compress(REPORT, -1)
