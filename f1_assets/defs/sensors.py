"""The sensors: one that lets sessions run as the quota covers them."""

import dagster as dg

from f1_assets.defs.governor import govern
from f1_assets.defs.resources import WarehouseResource


@dg.sensor(
    name="quota_governor",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sets the limit of pool fastf1_api to the sessions that the hourly request quota covers: 0 is a pause.",
)
def quota_governor(context: dg.SensorEvaluationContext, warehouse: WarehouseResource) -> dg.SkipReason:
    """Follow the quota with the pool's limit; the tick says where it stands."""
    try:
        return dg.SkipReason(govern(context.instance, warehouse.open()).reason)
    finally:
        warehouse.close()
