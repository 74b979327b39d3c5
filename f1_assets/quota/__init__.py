"""How many requests may be sent: policies, and the ledger that all processes and hosts share."""

from f1_assets.quota.rate_limit import check_rate_limit, get_rate_limit_stats, wait_for_rate_limit

__all__ = ["check_rate_limit", "get_rate_limit_stats", "wait_for_rate_limit"]
