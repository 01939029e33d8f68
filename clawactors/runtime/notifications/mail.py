"""Sends one mail by SMTP, in a thread: the library blocks, and has a limit for each of its steps."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.settings import MailSettings
from clawactors.runtime.notifications.words import NoticeMessage, plain

__all__ = ["mail_of", "send_mail"]

_STEP_S: Final = 20.0
_TITLE_MAX: Final = 150
_TEXT_MAX: Final = 20_000


def mail_of(message: NoticeMessage, sender: str, to: tuple[str, ...], rule: str) -> EmailMessage:
    """The mail: text only, and no header has more than one line, whatever a task wrote."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(map(_ascii, to))
    mail["Subject"] = plain(f"[claw] {message.title}", _TITLE_MAX)
    mail["Date"], mail["Message-ID"] = formatdate(), f"<{message.id}@claw.invalid>"
    mail["Auto-Submitted"], mail["X-Claw-Rule"] = "auto-generated", rule
    mail.set_content(message.text[:_TEXT_MAX])
    return mail


def send_mail(mail: EmailMessage, to: tuple[str, ...], settings: MailSettings, password: str) -> None:
    """Sends it once. Raises: `OutletFailed`."""
    try:
        with _opened(settings) as server:
            if settings.user:
                server.login(settings.user, password)
            refused = server.send_message(mail, to_addrs=[*map(_ascii, to)])
    except smtplib.SMTPAuthenticationError as error:
        raise OutletFailed(f"{settings.host} refused user and password: {_said(error)}", final=True) from None
    except smtplib.SMTPRecipientsRefused as error:
        reasons = [*error.recipients.items()]
        final = all(code >= 500 for _, (code, _) in reasons)
        told = "; ".join(f"{who}: {code} {_text(reason)}" for who, (code, reason) in reasons)
        raise OutletFailed(f"{settings.host} takes no mail for {told}", final=final) from None
    except smtplib.SMTPResponseException as error:
        raise OutletFailed(f"{settings.host} said {_said(error)}", final=500 <= error.smtp_code < 600) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise OutletFailed(f"{settings.host}: {plain(str(error) or type(error).__name__, 200)}") from None
    if refused:
        raise OutletFailed(f"{settings.host} took it, but not for {', '.join(refused)}", final=True)


def _opened(settings: MailSettings) -> smtplib.SMTP:
    tls = ssl.create_default_context()
    if settings.ca_file:
        tls.load_verify_locations(settings.ca_file)
    elif settings.tls == "auto" and not settings.user:  # as between mail servers: no secret is sent
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    port = settings.port or (465 if settings.tls == "tls" else 587 if settings.user else 25)
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(settings.host, port, timeout=_STEP_S, context=tls)
    server = smtplib.SMTP(settings.host, port, timeout=_STEP_S)
    try:
        server.ehlo_or_helo_if_needed()
        offered = server.has_extn("starttls")
        if settings.tls == "starttls" or (settings.tls == "auto" and offered):
            server.starttls(context=tls)
            server.ehlo()
        elif settings.tls == "auto" and settings.user:
            raise OutletFailed(
                f"{settings.host} offers no STARTTLS, and a password would be readable on the way: "
                'set tls = "tls" or, on a wire that you trust, tls = "none"',
                final=True,
            )
    except BaseException:
        server.close()
        raise
    return server


def _ascii(mailbox: str) -> str:
    name, _, host = mailbox.rpartition("@")
    return f"{name}@{host.encode('idna').decode()}"


def _said(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _text(said: bytes | str) -> str:
    return plain(said.decode("utf-8", "replace") if isinstance(said, bytes) else said, 200)
