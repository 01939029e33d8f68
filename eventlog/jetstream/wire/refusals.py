"""What a server or its certificate says no to, in words that name the cause and what to do."""

import re
import ssl
from typing import Final

from nats import errors

__all__ = ["NoTls", "NotNats", "Silent", "is_full", "is_refusal", "text_of"]

_REFUSED: Final = re.compile(
    r"authorization|authentication (timeout|expired|revoked)|maximum (account )?(active )?connections", re.IGNORECASE
)
_ADVICE: Final = (
    ("slow consumer", "this process read too slowly and the server cut it; it goes on from its position"),
    ("stale connection", "the server heard nothing from this process for too long"),
    ("connections exceeded", "raise max_connections of the server or the account, or close other clients"),
    ("user authentication revoked", "these credentials were revoked: get new ones"),
    ("authentication expired", "these credentials have expired: get new ones"),
    ("authentication timeout", "nobody signed in in time: is the server overloaded?"),
    ("authorization", "check the user, password, token or credentials; they may have expired or been revoked"),
)
_NOT_NATS: Final = "empty response from server", "json parse error"
_FULL: Final = re.compile(r"authentication timeout|connections exceeded", re.IGNORECASE)
_CERTIFICATE: Final = {
    9: "it is not valid yet: check the clocks",
    10: "it has expired: renew it",
    18: "it is signed by itself: name its authority, `ca` in the nats context",
    19: "its authority is not trusted: name it, `ca` in the nats context",
    20: "its authority is not trusted: name it, `ca` in the nats context",
    21: "its authority is not trusted: name it, `ca` in the nats context",
    62: "it is for another name: use an address that it names",
    64: "it is for another name: use an address that it names",
}
_ALERTS: Final = (
    ("CERTIFICATE_REQUIRED", "the server demands a client certificate: `cert` and `key` in the nats context"),
    ("ALERT_UNKNOWN_CA", "the server does not trust the authority of the client certificate"),
    ("CERTIFICATE_EXPIRED", "the client certificate has expired, or is not valid yet: renew it, check the clocks"),
    ("BAD_CERTIFICATE", "the server refuses the client certificate, or demands one"),
    ("WRONG_VERSION_NUMBER", "the server does not begin with TLS: leave out `tls_first`"),
    ("RECORD_LAYER_FAILURE", "the server does not begin with TLS: leave out `tls_first`"),
)


class NoTls(errors.Error):
    """TLS is demanded and the server offers none: nothing was sent to it."""

    def __init__(self) -> None:
        super().__init__("nats: the server speaks no TLS, and TLS is demanded: somebody between may have taken it away")


class NotNats(errors.Error):
    """What answers speaks another protocol."""

    def __init__(self) -> None:
        super().__init__(
            "nats: what answers there is no nats-server: is this its port for clients, or does it begin with TLS "
            "(`tls_first` in the nats context)?"
        )


class Silent(TimeoutError):
    """Somebody took the connection and says nothing."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            f"it took the connection and says nothing for {timeout_s:g} s: is it stopped or overloaded, or does it "
            "begin with TLS (`tls_first` in the nats context)?"
        )


def text_of(error: Exception) -> str:
    """The text of an error of the connection, with what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        return (
            f"the server's certificate is rejected: {_CERTIFICATE.get(error.verify_code, 'it is not valid')} ({said})"
        )
    if isinstance(error, ssl.SSLError):
        said = f"{error.reason or error}"
        return next((f"{words} ({said})" for mark, words in _ALERTS if mark in said), f"TLS failed: {said}")
    text = str(error).removeprefix("nats: ").strip("'") or type(error).__name__
    if isinstance(error, errors.Error):
        if any(mark in text for mark in _NOT_NATS):
            return text_of(NotNats())
        advice = next((words for mark, words in _ADVICE if mark in text.lower()), "")
        return f"{text}: {advice}" if advice else text
    return text


def is_refusal(error: Exception) -> bool:
    """True if trying again soon does not help: the server refuses this user, or TLS fails."""
    if isinstance(error, ssl.SSLError | NoTls):
        return not isinstance(error, ssl.SSLZeroReturnError | ssl.SSLEOFError)
    return isinstance(error, errors.Error) and _REFUSED.search(str(error)) is not None


def is_full(error: Exception) -> bool:
    """True for a refusal that ends by itself: others have to leave first."""
    return isinstance(error, errors.Error) and _FULL.search(str(error)) is not None
