"""Whatever schemathesis sends, no path fails, and none answers what the OpenAPI does not say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from clawactors.app.weblogin import WebLogin
from clawactors.testing import Cluster
from tests.app.web.conftest import CLIENTS, URL, application, echo, fail, guarded

ENDLESS = {"events", "task_events", "stream"}
SLOW = ("memor", "say", "recall", "remember", "context", "erase", "archive", "compact", "checks")
"""They wait for the memory process, or for minutes."""
ABSENT = {"archive", "compact"}
"""A cluster in memory has none."""


class Server:
    """A cluster in memory, and the API in front of it, for tests that are not async."""

    def __init__(self, cluster: Cluster, login: WebLogin) -> None:
        self._cluster, self._http = cluster, guarded(login)
        self._http.headers["Authorization"] = f"Bearer {login.token}"

    def send(self, case: Any) -> httpx.Response:
        sent = case.as_transport_kwargs(base_url=URL)
        sent = {name: sent[name] for name in ("method", "url", "params", "headers", "json", "data") if name in sent}
        headers = {
            name: value for name, value in dict(sent.pop("headers", None) or {}).items() if name != "Authorization"
        }
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        return self._cluster.run(self._http.request(**sent, headers=headers))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Cluster([echo, fail]) as cluster:
        CLIENTS.begin(cluster)
        yield Server(cluster, WebLogin(tmp_path))


def attack(server: Server, examples: int, *, slow: bool) -> None:
    schema = schemathesis.openapi.from_dict(application().openapi_schema.to_schema())
    failures: list[str] = []
    for number, found in enumerate(schema.get_all_operations()):
        if number % 2 and not slow:
            continue  # the soak sends to all of them
        operation = found.ok()
        name = operation.definition.raw["operationId"]
        if name not in ENDLESS | ABSENT and (slow or not name.startswith(SLOW)):
            failures += attack_one(server, operation, settings(max_examples=examples, derandomize=not slow))[:3]
    assert not failures, "\n".join(failures)


def attack_one(server: Server, operation: Any, how: settings) -> list[str]:
    said = {str(status) for status in operation.definition.raw["responses"]}
    failures: list[str] = []

    @settings(how, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        try:
            answer = server.send(case)
        except (httpx.InvalidURL, UnicodeEncodeError):
            return  # it can't be sent
        if answer.status_code >= 500 or str(answer.status_code) not in said:
            sent = case.as_curl_command()[:500]
            failures.append(f"{operation.label}: {answer.status_code} {answer.text[:300]} for {sent}")

    check()
    return failures


def test_no_path_fails_or_answers_what_is_not_said(server: Server) -> None:
    attack(server, 1, slow=False)


@pytest.mark.soak
def test_no_path_fails_for_long(server: Server) -> None:
    attack(server, 200, slow=True)
