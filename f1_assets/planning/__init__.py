"""Planning: find what is missing, and decide what to import in which order."""

from f1_assets.planning.front import (
    detect_missing_races,
    detect_missing_sessions,
    detect_session_data_gaps,
    generate_gap_report,
)
from f1_assets.planning.gaps import DatasetState, SessionGap, dataset_states, gaps_of, outdated_of
from f1_assets.planning.plan import PlannedSession, ProcessingPlan, build_processing_plan
from f1_assets.planning.report import GapReport

__all__ = [
    "DatasetState",
    "GapReport",
    "PlannedSession",
    "ProcessingPlan",
    "SessionGap",
    "build_processing_plan",
    "dataset_states",
    "detect_missing_races",
    "detect_missing_sessions",
    "detect_session_data_gaps",
    "gaps_of",
    "generate_gap_report",
    "outdated_of",
]
