"""The estimators."""

from skreg.linear_model.classification import PenalizedLogisticRegression
from skreg.linear_model.regression import PenalizedRegression

__all__ = ["PenalizedLogisticRegression", "PenalizedRegression"]
