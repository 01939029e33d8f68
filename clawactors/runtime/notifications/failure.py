"""Why a message did not go out."""

__all__ = ["OutletFailed"]


class OutletFailed(Exception):
    """It was not sent.

    `final`: sent again it would fail again; `code`: what it was answered with;
    `sent_perhaps`: nobody knows;
    `moved_to`: where the chat is now, 0 if it has not moved.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after_s: float = 0.0,
        final: bool = False,
        code: int = 0,
        sent_perhaps: bool = False,
        moved_to: int = 0,
    ) -> None:
        super().__init__(reason)
        self.retry_after_s, self.final, self.code = retry_after_s, final, code
        self.sent_perhaps, self.moved_to = sent_perhaps, moved_to
