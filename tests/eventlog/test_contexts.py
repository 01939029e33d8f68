"""The nats CLI's own settings lead to the same server, and nothing else wins over what was asked for."""

import json
from pathlib import Path

import pytest

from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream import Address


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "nats" / "context"
    folder.mkdir(parents=True)
    (folder / "lab.json").write_text(
        json.dumps({
            "description": "", "url": "nats://lab:4222,tls://lab2:4222", "user": "u", "password": "p", "token": "",
            "creds": "~/lab.creds", "inbox_prefix": "_INBOX_u", "jetstream_domain": "hub", "tls_first": True,
        })
    )  # fmt: skip
    (folder / "other.json").write_text(json.dumps({"url": "other"}))
    (folder / "broken.json").write_text("[")
    (folder / "jwt.json").write_text(json.dumps({"user_jwt": "x"}))
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_a_context_file_is_read_whole(env: dict[str, str]) -> None:
    address = Address.of(context="lab", env=env)
    assert address.urls == ("nats://lab:4222", "tls://lab2:4222")
    assert (address.user, address.password, address.domain) == ("u", "p", "hub")
    assert address.creds == str(Path("~/lab.creds").expanduser())
    assert address.inbox_prefix == "_INBOX_u"
    assert address.api == "$JS.hub.API"
    assert address.tls_first


def test_an_explicit_address_wins_over_everything(env: dict[str, str]) -> None:
    env |= {"NATS_URL": "env:1", "NATS_CONTEXT": "lab"}
    assert Address.of("here:2", context="lab", env=env).urls == ("nats://here:2",)


def test_then_a_named_context_then_the_environment(env: dict[str, str]) -> None:
    env |= {"NATS_URL": "env:1", "NATS_CREDS": "c", "NATS_CONTEXT": "lab"}
    assert Address.of(context="other", env=env).urls == ("nats://other",)
    assert Address.of(env=env) == Address(urls=("nats://env:1",), creds="c")
    del env["NATS_URL"]
    assert Address.of(env=env).user == "u"


def test_then_the_selected_context_and_at_last_this_machine(env: dict[str, str], tmp_path: Path) -> None:
    assert Address.of(env=env).urls == ("nats://127.0.0.1:4222",)
    (tmp_path / "nats" / "context.txt").write_text("other\n")
    assert Address.of(env=env).urls == ("nats://other",)


@pytest.mark.parametrize(("name", "words"), [("none", "none"), ("broken", "can't be read"), ("jwt", "creds file")])
def test_a_context_that_can_not_be_used_is_named(env: dict[str, str], name: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        Address.of(context=name, env=env)


def test_a_websocket_address_is_refused() -> None:
    with pytest.raises(Misconfigured, match="websocket"):
        Address.of("ws://here:80", env={})


def test_what_the_client_takes_has_only_what_was_set(env: dict[str, str]) -> None:
    assert Address.of("a", env={}).options() == {"inbox_prefix": "_INBOX"}
    assert set(Address.of(context="lab", env=env).options()) == {
        "inbox_prefix", "user", "password", "user_credentials", "tls", "tls_handshake_first",
    }  # fmt: skip


def test_tls_files_that_are_not_there_are_named() -> None:
    with pytest.raises(Misconfigured, match="TLS"):
        Address(ca="/nowhere").options()


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ("nats://u:p%40x@a:1", {"user": "u", "password": "p@x"}),
        ("nats://u:p@a:1,nats://u:p@b:1", {"user": "u", "password": "p"}),
        ("nats://s3cr3t@a:1", {"token": "s3cr3t"}),
        ("nats://u:p@a:1,nats://b:1", {}),
    ],
)
def test_what_an_address_signs_in_with_counts_for_the_whole_cluster(urls: str, expected: dict[str, str]) -> None:
    assert Address.of(urls, env={}).options() == {"inbox_prefix": "_INBOX"} | expected
