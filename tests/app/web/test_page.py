"""docs/http.md says what is so: its requests are answered, and its table has every path."""

import re
import shlex

import httpx

from tests.app.web.table import PAGE, rows

TEXT = PAGE.read_text("utf-8")


def test_the_table_has_every_path() -> None:
    missing = [line for line in rows() if line not in TEXT.splitlines()]
    assert not missing, "run python -m tests.app.web.table"
    known = set(rows())
    assert not [line for line in TEXT.splitlines() if re.match(r"\| `[A-Z]+ /", line) and line not in known]


async def test_every_request_of_the_page_is_answered(http: httpx.AsyncClient) -> None:
    lines = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
    assert len(lines) > 5
    for line in lines:
        method, body, headers, target = "GET", None, {}, ""
        words = iter(shlex.split(line)[1:])
        for word in words:
            if word == "-X":
                method = next(words)
            elif word == "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            elif word in ("-d", "--data-binary"):
                method, body = "POST" if method == "GET" else method, next(words)
            else:
                target = word
        assert headers.pop("Authorization") == "Bearer $TOKEN"
        answer = await http.request(method, target.removeprefix("$API"), content=body, headers=headers)
        assert answer.is_success, f"{line}\n{answer.text}"
