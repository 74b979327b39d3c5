"""Messages to Slack: one at the end of an import, never a flood. A Slack that fails never fails an import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from f1_assets.escaping import slack
from f1_assets.formatting import counted, duration
from f1_assets.settings import Settings

_TIMEOUT_SECONDS = 10


class Summary(Protocol):
    """What a message tells of an import."""

    @property
    def seasons(self) -> Sequence[int]:
        """Which seasons."""

    @property
    def processed(self) -> int:
        """Sessions that were imported, well or not."""

    @property
    def succeeded(self) -> int:
        """Those of which everything is there."""

    @property
    def partial(self) -> int:
        """Those of which something failed."""

    @property
    def failed(self) -> int:
        """Those of which everything failed."""

    @property
    def unavailable(self) -> int:
        """Sessions of which upstream has nothing."""

    @property
    def requests(self) -> int:
        """Requests that it took."""

    @property
    def seconds(self) -> float:
        """How long it took, pauses included."""

    @property
    def pauses(self) -> int:
        """How often it waited for the quota."""

    @property
    def stopped_by(self) -> str | None:
        """Why it ended before its time."""


@dataclass(frozen=True)
class RunsSummary:
    """The outcomes of some runs; see `Summary`."""

    seasons: tuple[int, ...]
    processed: int
    succeeded: int
    partial: int
    failed: int
    requests: int
    seconds: float
    pauses: int = 0
    stopped_by: str | None = None
    unavailable: int = 0


def import_message(summary: Summary, board_url: str | None = None) -> str:
    """Write the outcome of an import, in a line or two, and where the season board shows it."""
    seasons = _ranges(summary.seasons)
    counts = f"{summary.succeeded} succeeded, {summary.partial} partial, {summary.failed} failed"
    counts += f", {summary.unavailable} unavailable" if summary.unavailable else ""
    number, requests = counted(summary.processed, "session"), counted(summary.requests, "request")
    pauses = f", {counted(summary.pauses, 'pause')} for the quota" if summary.pauses else ""
    took = duration(summary.seconds)
    message = f"Formula 1, {seasons}: {number} imported ({counts}) in {took}, {requests}{pauses}."
    if summary.stopped_by:
        message += f"\nStopped: {summary.stopped_by}"
    if board_url is None:
        return message
    return (
        f"{message}\n{board_url}/season/{summary.seasons[0]}"
        if len(summary.seasons) == 1
        else f"{message}\n{board_url}"
    )


def post_import(settings: Settings, summary: Summary, warned: Callable[[str], None]) -> bool:
    """Post the outcome of an import; return whether it was posted.

    Parameters
    ----------
    settings
        With Slack's token and channel; nothing is posted without a token.
    summary
        Its outcome.
    warned
        Told why it could not be posted.
    """
    return post(settings, import_message(summary, settings.announced_board_url), warned)


def post(settings: Settings, message: str, warned: Callable[[str], None]) -> bool:
    """Post a message as plain text; what goes wrong is told to `warned`, and never raised."""
    if settings.slack_token is None:
        return False
    if not settings.slack_channel:
        warned("No notification was posted: F1_SLACK_TOKEN is set, but F1_SLACK_CHANNEL is not.")
        return False
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackClientError

    base_url = f"{settings.slack_api_url.rstrip('/')}/" if settings.slack_api_url else WebClient.BASE_URL
    client = WebClient(settings.slack_token.get_secret_value(), base_url=base_url, timeout=_TIMEOUT_SECONDS)
    try:
        client.chat_postMessage(
            channel=settings.slack_channel,
            text=slack(message),
            mrkdwn=False,
            parse="none",
            link_names=False,
            unfurl_links=False,
            unfurl_media=False,
        )
    except (SlackClientError, OSError) as error:
        warned(f"No notification was posted: Slack failed ({_without_secret(error, settings)}).")
        return False
    return True


def _without_secret(error: Exception, settings: Settings) -> str:
    words = " ".join(str(error).split())
    token = settings.slack_token.get_secret_value() if settings.slack_token else ""
    return words.replace(token, "***") if token else words


def _ranges(seasons: Sequence[int]) -> str:
    if len(seasons) == 1:
        return f"season {seasons[0]}"
    return f"seasons {seasons[0]} to {seasons[-1]}" if seasons else "no season"
