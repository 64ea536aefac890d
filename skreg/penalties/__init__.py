"""Penalties: what a weight costs, and the step that makes it cheaper."""

from skreg.penalties.base import NoPenalty, Penalty, get_penalty, penalty_names
from skreg.penalties.convex import L1, L2, ElasticNet

__all__ = ["L1", "L2", "ElasticNet", "NoPenalty", "Penalty", "get_penalty", "penalty_names"]
