"""What the assets of a run share: the warehouse, and the one loaded session."""

from typing import TYPE_CHECKING

import dagster as dg
from pydantic import PrivateAttr

from f1_assets.connection import connect
from f1_assets.importing import load_fastf1_session
from f1_assets.planning import SessionGap
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
            self._loaded = load_fastf1_session(
                gap.key,
                gap.datasets,
                warehouse=self.warehouse.open(),
                run_id=run_id,
                reservation=reservation,
                renew=gap.renew,
                from_archive=gap.from_archive,
            )
        return self._loaded
