"""The ways out: mail to a server that speaks SMTP, text that stays text, the desktop, and what is refused."""

import asyncio
import ssl
import stat
import subprocess
from collections.abc import AsyncIterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from clawactors.eventlog import Misconfigured
from clawactors.runtime.notifications import NoticeMessage, Outlets
from clawactors.runtime.notifications.desktop import desktop_command
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.settings import MailSettings, NotifySettings, read_notify_settings, secret_in
from clawactors.runtime.notifications.telegram import TEXT_MAX, telegram_text
from clawactors.runtime.notifications.words import Gathered, Happening, Quoted, plain
from clawactors.runtime.webhooks import HttpSender

PASSWORD = "geheim"  # noqa: S105 - of this test
HOSTILE = "x\r\nBcc: all@example.org\r\n\r\n<b>hi</b> \x1b[2J\u202eevil\u2066 @everyone /cancel [a](http://b)"


class Mails:
    """Keeps what it gets; refuses `nobody@…` for good, and `later@…` for now."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.to: list[str] = []

    async def handle_RCPT(  # noqa: N802 - its name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("later"):
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - its name
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.to += envelope.rcpt_tos
        return "250 OK"


def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"claw", PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@pytest.fixture
def mails() -> Mails:
    return Mails()


async def served(mails: Mails, **settings: Any) -> AsyncIterator[int]:
    def connected() -> SMTP:
        return SMTP(mails, hostname="mail.example.org", **settings)

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def plain_server(mails: Mails) -> AsyncIterator[int]:
    async for port in served(mails):
        yield port


@pytest.fixture
async def tls_server(mails: Mails, certificate: tuple[Path, Path]) -> AsyncIterator[int]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    async for port in served(mails, tls_context=tls, require_starttls=True, authenticator=login, auth_required=True):
        yield port


@pytest.fixture
async def login_server(mails: Mails) -> AsyncIterator[int]:
    async for port in served(mails, authenticator=login, auth_required=True, auth_require_tls=False):
        yield port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-keyout", key, "-out", cert, "-days", "2", *subject], check=True, capture_output=True)
    return cert, key


def outlets(secrets: Mapping[str, str] | None = None, **smtp: Any) -> Outlets:
    settings = NotifySettings(smtp=MailSettings(sender="claw@example.org", **smtp))
    return Outlets(HttpSender(), (secrets or {}).get, lambda: settings)


def message(why: str = "ValueError: no such page") -> NoticeMessage:
    gathered = Gathered()
    gathered.add(Happening(what="dead", kind="task", id="a-1", why=why, skill="fetch", at_ns=1_700_000_000 * 10**9))
    return gathered.message("ops-7-0", "ops")


def test_a_title_counts_what_happened() -> None:
    gathered = Gathered()
    for what in ("dead", "dead", "approval"):
        gathered.add(Happening(what=what, kind="task", id="a-1"))
    assert gathered.message("ops-7-0", "ops").title == "2 tasks dead, 1 task asks for approval"


async def send(to: Outlets, target: str, why: str = "ValueError: no such page") -> None:
    await to.send(target, message(why), "ops", 1_700_000_000)


async def test_mail_says_what_happened_and_to_nobody_else(mails: Mails, plain_server: int) -> None:
    await send(outlets(host="127.0.0.1", port=plain_server), "mailto:ops@example.org", HOSTILE)
    [mail] = mails.got
    assert mails.to == ["ops@example.org"]
    assert (mail["Subject"], mail["To"], mail["From"]) == (
        "[claw] task a-1 is dead",
        "ops@example.org",
        "claw@example.org",
    )
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<ops-7-0@claw.invalid>", "auto-generated")
    assert mail["Bcc"] is None
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert "Why: x Bcc: all@example.org <b>hi</b> [2Jevil" in text
    assert "claw why a-1" in text


async def test_a_hostile_title_is_one_header(mails: Mails, plain_server: int) -> None:
    gathered = Gathered()
    gathered.add(Happening(what="disk", kind="alarm", id="disk", why=f"{HOSTILE}{'y' * 100_000}"))
    to = outlets(host="127.0.0.1", port=plain_server)
    await to.send("mailto:ops@example.org", gathered.message("x", "ops"), "ops", 1)
    [mail] = mails.got
    assert str(mail["Subject"]).startswith("[claw] disk: x Bcc: all@example.org")
    assert len(str(mail["Subject"])) <= 160
    assert mails.to == ["ops@example.org"]


async def test_a_password_goes_by_starttls_only(mails: Mails, tls_server: int, certificate: tuple[Path, Path]) -> None:
    known = {"smtp": PASSWORD}
    given: dict[str, Any] = {"host": "localhost", "port": tls_server, "user": "claw", "ca_file": str(certificate[0])}
    await send(outlets(known, **given), "mailto:ops@example.org")
    assert len(mails.got) == 1
    with pytest.raises(OutletFailed, match="refused user and password: 535") as failed:
        await send(outlets({"smtp": "wrong"}, **given), "mailto:ops@example.org")
    assert failed.value.final
    with pytest.raises(OutletFailed, match="certificate verify failed"):
        await send(outlets(known, **given | {"ca_file": ""}), "mailto:ops@example.org")
    with pytest.raises(OutletFailed, match="no password for mail"):
        await send(outlets({}, **given), "mailto:ops@example.org")


async def test_mail_without_a_password_takes_any_certificate(mails: Mails, certificate: tuple[Path, Path]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    async for port in served(mails, tls_context=tls, require_starttls=True):
        await send(outlets(host="127.0.0.1", port=port), "mailto:ops@example.org")
        assert len(mails.got) == 1
        with pytest.raises(OutletFailed, match="certificate verify failed"):
            await send(outlets(host="127.0.0.1", port=port, tls="starttls"), "mailto:ops@example.org")


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
async def test_no_password_goes_in_the_open_unless_somebody_says_so(mails: Mails, login_server: int) -> None:
    given: dict[str, Any] = {"host": "127.0.0.1", "port": login_server, "user": "claw"}
    with pytest.raises(OutletFailed, match="offers no STARTTLS"):
        await send(outlets({"smtp": PASSWORD}, **given), "mailto:ops@example.org")
    await send(outlets({"smtp": PASSWORD}, **given, tls="none"), "mailto:ops@example.org")
    assert len(mails.got) == 1


@pytest.mark.parametrize(("to", "final"), [("nobody@example.org", True), ("later@example.org", False)])
async def test_what_the_server_refuses_is_told(mails: Mails, plain_server: int, to: str, final: bool) -> None:
    with pytest.raises(OutletFailed, match=to) as failed:
        await send(outlets(host="127.0.0.1", port=plain_server), f"mailto:{to}")
    assert failed.value.final == final


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(OutletFailed, match=r"127.0.0.1: .*refused") as failed:
        await send(outlets(host="127.0.0.1", port=9), "mailto:ops@example.org")
    assert not failed.value.final
    with pytest.raises(OutletFailed, match=r"host and sender below \[smtp\] of notify.toml"):
        await send(outlets(), "mailto:ops@example.org")


def test_text_of_others_is_one_line_without_powers() -> None:
    assert plain(HOSTILE) == "x Bcc: all@example.org <b>hi</b> [2Jevil @everyone /cancel [a](http://b)"
    assert plain("y" * 100_000) == "y" * 499 + "…"
    assert plain("naïve 导入 👩‍💻\x00\x85") == "naïve 导入 👩💻"


def test_a_chat_gets_no_markup_and_counts_as_telegram_does() -> None:
    text = telegram_text(("Why: 😀 ", Quoted("<b>@everyone</b>"), "\n", Quoted("claw why a-1")))
    assert text.text == "Why: 😀 <b>@everyone</b>\nclaw why a-1"
    assert text.entities == [
        {"type": "code", "offset": 8, "length": 16},
        {"type": "code", "offset": 25, "length": 12},
    ]
    long = telegram_text(("a", Quoted("😀" * 100_000), "never"))
    assert len(long.text.encode("utf-16-le")) // 2 <= TEXT_MAX
    assert long.text.endswith("😀…")
    [entity] = long.entities
    assert entity["offset"] + entity["length"] == len(long.text.encode("utf-16-le")) // 2


def test_the_desktop_gets_text_as_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutletFailed, match="no desktop to show it on"):
        desktop_command(message())
    program = tmp_path / "notify-send"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    command = desktop_command(message("--urgency=critical <img src=http://x>"))
    assert command[:3] == [str(program), "--app-name=claw", "--"]
    assert command[3] == "claw: task a-1 is dead"
    assert "&lt;img src=http://x&gt;" in command[4]


def test_settings_and_secrets_say_what_is_wrong(tmp_path: Path) -> None:
    assert read_notify_settings(tmp_path) == NotifySettings()
    (tmp_path / "notify.toml").write_text("[smtp]\nhots = 'x'\n")
    with pytest.raises(Misconfigured, match=r"notify.toml can't be used: .*hots"):
        read_notify_settings(tmp_path)
    secret = tmp_path / "token"
    secret.write_text("12:ab\n")
    secret.chmod(0o644)
    with pytest.raises(Misconfigured, match="is readable by others: chmod 600"):
        secret_in(str(secret), "", {}.get, "token")
    secret.chmod(stat.S_IRUSR)
    assert secret_in(str(secret), "", {}.get, "token") == "12:ab"
    with pytest.raises(Misconfigured, match="set CLAW_SECRET_MY_BOT where it runs"):
        secret_in("", "my-bot", {}.get, "token")


def test_the_settings_on_the_page_are_understood(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "notifications.md").read_text("utf-8")
    (tmp_path / "notify.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    settings = read_notify_settings(tmp_path)
    assert (settings.smtp.host, settings.smtp.password_file) == ("mail.example.org", "/etc/claw/smtp-password")
    assert settings.telegram.token_file == "/etc/claw/telegram-token"  # noqa: S105 - a path
