"""The contracts of penalties and losses as checks, for people who write their own."""

from skreg.testing.losses import check_loss, parametrize_loss_checks
from skreg.testing.penalties import check_penalty, parametrize_penalty_checks

__all__ = ["check_loss", "check_penalty", "parametrize_loss_checks", "parametrize_penalty_checks"]
