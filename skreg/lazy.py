"""What is computed when it is first asked for, and then kept."""

__all__ = ["cached_property"]


class cached_property:
    """`functools.cached_property` as Python 3.12 has it: without a lock.

    That of Python 3.11 takes one lock for all objects of a class, which costs more than many a value here, and makes
    two threads that fit at once wait for each other.

    Parameters
    ----------
    compute : callable
        The method that computes the value.
    """

    def __init__(self, compute):
        self.compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.compute(instance)
        return value
