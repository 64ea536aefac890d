"""What is computed once."""

from skreg.lazy import cached_property


class Counted:
    """With a value that counts how often it is computed."""

    computed = 0

    @cached_property
    def value(self):
        """What it is."""
        self.computed += 1
        return self.computed


def test_a_value_is_computed_once_for_each_object_and_can_be_given():
    one, other = Counted(), Counted()
    assert "value" not in vars(one)
    assert one.value == one.value == 1 == vars(one)["value"]
    other.value = 7
    assert other.value == 7 and other.computed == 0
    del other.value
    assert other.value == 1


def test_on_the_class_it_is_itself():
    assert isinstance(Counted.value, cached_property)
    assert Counted.value.__doc__ == "What it is."
