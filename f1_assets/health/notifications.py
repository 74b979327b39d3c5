"""Messages to Slack: one at the end of an import, never a flood. A Slack that fails never fails an import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from f1_assets.escaping import slack
from f1_assets.formatting import counted, duration
from f1_assets.settings import Settings

if TYPE_CHECKING:
    from slack_sdk import WebClient

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


@dataclass(frozen=True)
class SlackChannel:
    """A channel of Slack, and a client with a token for it.

    Parameters
    ----------
    client
        A client from `slack_client`; its token is shown nowhere.
    name
        Name of the channel; without one, nothing can be posted.
    warned
        Receives a sentence when a text could not be posted.
    """

    client: WebClient
    name: str | None
    warned: Callable[[str], None]

    def post(self, text: str) -> bool:
        """Post plain text, and return whether it was posted; a failure of Slack is a warning, never an error."""
        from slack_sdk.errors import SlackClientError

        if not self.name:
            self.warned("No notification was posted: F1_SLACK_TOKEN is set, but F1_SLACK_CHANNEL is not.")
            return False
        try:
            self.client.chat_postMessage(
                channel=self.name,
                text=slack(text),
                mrkdwn=False,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
            )
        except (SlackClientError, OSError) as error:
            self.warned(f"No notification was posted: Slack failed ({self._without_token(error)}).")
            return False
        return True

    def _without_token(self, error: Exception) -> str:
        words = " ".join(str(error).split())
        return words.replace(self.client.token, "***") if self.client.token else words


def slack_channel(settings: Settings, warned: Callable[[str], None]) -> SlackChannel | None:
    """Return the channel of the settings; None without a token."""
    if not settings.slack_token:
        return None
    client = slack_client(settings.slack_token.get_secret_value(), settings.slack_api_url)
    return SlackChannel(client, settings.slack_channel, warned)


def slack_client(token: str, api_url: str | None) -> WebClient:
    """Return a client of Slack's API, or of the address that stands in for it."""
    from slack_sdk import WebClient

    base_url = f"{api_url.rstrip('/')}/" if api_url else WebClient.BASE_URL
    return WebClient(token, base_url=base_url, timeout=_TIMEOUT_SECONDS)


def _ranges(seasons: Sequence[int]) -> str:
    if len(seasons) == 1:
        return f"season {seasons[0]}"
    return f"seasons {seasons[0]} to {seasons[-1]}" if seasons else "no season"
