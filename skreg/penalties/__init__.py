"""Penalties: what a weight costs, and the step that makes it cheaper."""

from skreg.penalties import catalogue
from skreg.penalties.base import Penalty
from skreg.penalties.catalogue import *  # noqa: F403
from skreg.penalties.names import NoPenalty, get_penalty, penalty_names

__all__ = ["NoPenalty", "Penalty", "get_penalty", "penalty_names"]
__all__ += catalogue.__all__
