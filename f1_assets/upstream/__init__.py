"""All that stands between f1_assets and F1's services: sources, archive, transport, quota, the loaded session.

Importing this package does not import FastF1; its modules `loader`, `calendar` and `transport` do.
"""

from f1_assets.upstream.rate_limit import check_rate_limit, get_rate_limit_stats, wait_for_rate_limit

__all__ = ["check_rate_limit", "get_rate_limit_stats", "wait_for_rate_limit"]
