import pytest


class Box:
    pass


@pytest.mark.parametrize("size", [10, 100])
def test_sum(benchmark, size):
    benchmark.pedantic(lambda: sum(range(size)), rounds=5, iterations=3)


def test_plain(benchmark):
    benchmark.pedantic(lambda: "x" * 100, rounds=4, iterations=2)


@pytest.mark.parametrize("box", [Box()], ids=["box"])
def test_object(benchmark, box):
    benchmark.pedantic(lambda: box, rounds=3, iterations=1)
