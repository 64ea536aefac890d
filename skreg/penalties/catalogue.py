# ruff: noqa: F403
"""The penalties that there are: what their files list in `__all__` is public, here, in `skreg.penalties` and in `skreg`.

A new penalty is a class in one of these files and its name in that file's `__all__`, nothing else.
"""

from skreg.penalties import by_column, combine, concave, constraints, convex, differences, groups, structured, tikhonov
from skreg.penalties.by_column import *
from skreg.penalties.combine import *
from skreg.penalties.concave import *
from skreg.penalties.constraints import *
from skreg.penalties.convex import *
from skreg.penalties.differences import *
from skreg.penalties.groups import *
from skreg.penalties.structured import *
from skreg.penalties.tikhonov import *

__all__: list[str] = []
__all__ += by_column.__all__
__all__ += combine.__all__
__all__ += concave.__all__
__all__ += constraints.__all__
__all__ += convex.__all__
__all__ += differences.__all__
__all__ += groups.__all__
__all__ += structured.__all__
__all__ += tikhonov.__all__
