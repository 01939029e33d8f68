"""Why a message did not go out."""

__all__ = ["OutletFailed"]


class OutletFailed(Exception):
    """It was not sent.

    `final`: sent again it would fail again; `code`: what it was answered with;
    `sent_perhaps`: nobody knows.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after_s: float = 0.0,
        final: bool = False,
        code: int = 0,
        sent_perhaps: bool = False,
    ) -> None:
        super().__init__(reason)
        self.retry_after_s, self.final, self.code, self.sent_perhaps = retry_after_s, final, code, sent_perhaps
