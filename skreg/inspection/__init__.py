"""What the penalty does, in pictures and numbers. matplotlib is imported when something is drawn."""

from skreg.inspection.cross_validation import CrossValidationDisplay
from skreg.inspection.explain import PenaltyExplanation, explain_penalty
from skreg.inspection.path import RegularizationPathDisplay
from skreg.inspection.penalty import PenaltyDisplay
from skreg.inspection.tradeoff import TradeoffDisplay

__all__ = [
    "CrossValidationDisplay",
    "PenaltyDisplay",
    "PenaltyExplanation",
    "RegularizationPathDisplay",
    "TradeoffDisplay",
    "explain_penalty",
]
