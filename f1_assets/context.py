"""`Context`, on which functions work: settings, warehouse and transport, opened at the edge and handed in."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from f1_assets.connection import connect
from f1_assets.fetch.process import transport_for
from f1_assets.quota.rate_limit import ledger_of
from f1_assets.settings import Settings, process_settings
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.fetch.transport import Transport
    from f1_assets.quota.ledger import Ledger


@dataclass(frozen=True)
class Context:
    """Settings, warehouse and transport.

    Commands, Dagster's resources, and the functions for scripts open one; what they call gets it from them.

    Parameters
    ----------
    settings
        Those of the process, as a rule.
    warehouse
        Where data is.
    own_transport
        In the place of the one that the process has for these settings.
    """

    settings: Settings
    warehouse: Warehouse
    own_transport: Transport | None = None

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        warehouse: Warehouse | None = None,
        transport: Transport | None = None,
    ) -> Context:
        """Open what is not handed in: the settings of the environment, and the warehouse that the settings name.

        Raises
        ------
        ConfigurationError
            When a setting is wrong, or the database cannot be used.
        """
        settings = settings or process_settings()
        return cls(settings, warehouse or connect(settings), transport)

    @functools.cached_property
    def transport(self) -> Transport:
        """The transport. The first use of it in a process takes a second: it imports FastF1."""
        return self.own_transport or transport_for(self.settings)

    @property
    def ledger(self) -> Ledger | None:
        """The ledger of the requests, without FastF1; None where nothing is counted."""
        return ledger_of(self.settings) if self.own_transport is None else self.own_transport.ledger

    def offline(self) -> Context:
        """Return the same with a transport that only reads the archive, and sends nothing."""
        from f1_assets.fetch.transport import Transport

        return replace(self, own_transport=Transport(self.settings, sends=False))
