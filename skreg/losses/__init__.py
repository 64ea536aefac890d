"""Losses: pointwise in the target and the linear predictor; they never see X."""

from skreg.losses.base import Loss
from skreg.losses.logistic import Logistic
from skreg.losses.names import get_loss, loss_names
from skreg.losses.softmax import Softmax
from skreg.losses.squared import Squared

__all__ = ["Logistic", "Loss", "Softmax", "Squared", "get_loss", "loss_names"]
