"""Penalties: what a weight costs, and the step that makes it cheaper."""

from skreg.penalties import catalogue
from skreg.penalties.base import NoPenalty, Penalty, get_penalty, penalty_names
from skreg.penalties.catalogue import *  # noqa: F403

__all__ = ["NoPenalty", "Penalty", "get_penalty", "penalty_names"]
__all__ += catalogue.__all__
