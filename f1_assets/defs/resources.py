"""Resources: the warehouse, the one loaded session that the assets of a run share, and Slack for the sensors."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg
from dagster_slack import SlackResource
from pydantic import Field, PrivateAttr
from slack_sdk import WebClient

from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.health.notifications import SlackChannel, slack_client
from f1_assets.importing.sessions import load
from f1_assets.planning import SessionGap
from f1_assets.settings import process_settings
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse that the environment names, opened when it is first needed."""

    _warehouse: Warehouse | None = PrivateAttr(default=None)

    def open(self) -> Warehouse:
        """Return the warehouse."""
        if self._warehouse is None:
            self._warehouse = connect()
        return self._warehouse

    def context(self) -> Context:
        """Return what the library's functions work on: the settings of the process, the warehouse, the transport."""
        return Context(process_settings(), self.open())

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the connections at the end of a run."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._warehouse is not None:
            self._warehouse.close()
            self._warehouse = None


class LoadedSessionResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The session of a run's partition, loaded once and lazily, shared by all outputs that ask for it."""

    warehouse: WarehouseResource
    _loaded: "LoadedSession | None" = PrivateAttr(default=None)

    def load(self, gap: SessionGap, run_id: str | None = None, reservation: str | None = None) -> "LoadedSession":
        """Return the loaded session; the first call loads the union of what the datasets need."""
        if self._loaded is None or self._loaded.key != gap.key:
            self._loaded = load(self.warehouse.context(), gap, run_id, reservation)
        return self._loaded


class SlackApiResource(SlackResource):
    """Slack as the environment names it: dagster-slack's resource, at the address of ``F1_SLACK_API_URL`` if it is set.

    Dagster shows the configuration of resources. The token is therefore read when a client is needed.
    """

    token: str = Field(default="", description="Left empty, F1_SLACK_TOKEN is used, which Dagster never sees.")

    def get_client(self) -> WebClient:
        """Return a client with the token; its requests have a timeout."""
        return slack_client(self._token, process_settings().slack_api_url)

    def channel(self, warned: Callable[[str], None]) -> SlackChannel | None:
        """Return the channel for notifications; None without a token."""
        return SlackChannel(self.get_client(), process_settings().slack_channel, warned) if self._token else None

    @property
    def _token(self) -> str:
        secret = process_settings().slack_token
        return self.token or (secret.get_secret_value() if secret is not None else "")
