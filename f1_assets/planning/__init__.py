"""What is missing, and what to do about it."""

from f1_assets.planning.gaps import DatasetState, SessionGap, dataset_states, gaps_of

__all__ = ["DatasetState", "SessionGap", "dataset_states", "gaps_of"]
