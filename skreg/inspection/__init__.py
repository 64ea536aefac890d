"""Pictures of what the penalty does, in scikit-learn's manner. matplotlib is imported when something is drawn."""

from skreg.inspection.cross_validation import CrossValidationDisplay
from skreg.inspection.path import RegularizationPathDisplay
from skreg.inspection.tradeoff import TradeoffDisplay

__all__ = ["CrossValidationDisplay", "RegularizationPathDisplay", "TradeoffDisplay"]
