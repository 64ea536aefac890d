"""Penalties: what a weight costs, and the step that makes it cheaper."""

from skreg.penalties.base import NoPenalty, Penalty, get_penalty, penalty_names
from skreg.penalties.concave import L0, MCP, SCAD, LogSum, Lq
from skreg.penalties.convex import L1, L2, ElasticNet
from skreg.penalties.differences import FusedLasso, TrendFilter
from skreg.penalties.structured import SLOPE, NuclearNorm
from skreg.penalties.tikhonov import GeneralizedRidge

__all__ = [
    "L0",
    "L1",
    "L2",
    "MCP",
    "SCAD",
    "SLOPE",
    "ElasticNet",
    "FusedLasso",
    "GeneralizedRidge",
    "LogSum",
    "Lq",
    "NoPenalty",
    "NuclearNorm",
    "Penalty",
    "TrendFilter",
    "get_penalty",
    "penalty_names",
]
