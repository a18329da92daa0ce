"""What a timestamp costs: one CAS on a shared word plus a paced reading of the clock. Called from Python: compare the two."""

from dsql_core.clock import HybridClock
from dsql_core.shared import control_page


def test_next(benchmark) -> None:
    clock = HybridClock(control_page())
    assert benchmark(clock.next) > 0


def test_call_alone(benchmark) -> None:
    clock = HybridClock(control_page())
    assert benchmark(lambda: clock.last) == 0
