"""Penalties: what a weight costs, and the step that makes it cheaper."""

from skreg.penalties.base import NoPenalty, Penalty, get_penalty, penalty_names
from skreg.penalties.combine import Bounded, ByColumn, Scaled, WithSquare
from skreg.penalties.concave import L0, MCP, SCAD, LogSum, Lq
from skreg.penalties.constraints import Box, L1Ball, L2Ball, Monotone, NonNegative, Simplex
from skreg.penalties.convex import L1, L2, ElasticNet
from skreg.penalties.differences import FusedLasso, TrendFilter
from skreg.penalties.groups import L21, Grouped, GroupLasso, GroupMCP, GroupSCAD, SparseGroupLasso
from skreg.penalties.structured import SLOPE, NuclearNorm
from skreg.penalties.tikhonov import GeneralizedRidge

__all__ = [
    "L0",
    "L1",
    "L2",
    "L21",
    "MCP",
    "SCAD",
    "SLOPE",
    "Bounded",
    "Box",
    "ByColumn",
    "ElasticNet",
    "FusedLasso",
    "GeneralizedRidge",
    "GroupLasso",
    "GroupMCP",
    "GroupSCAD",
    "Grouped",
    "L1Ball",
    "L2Ball",
    "LogSum",
    "Lq",
    "Monotone",
    "NoPenalty",
    "NonNegative",
    "NuclearNorm",
    "Penalty",
    "Scaled",
    "Simplex",
    "SparseGroupLasso",
    "TrendFilter",
    "WithSquare",
    "get_penalty",
    "penalty_names",
]
