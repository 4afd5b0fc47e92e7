"""What people saw of one upgrade, or of one way back, in figures."""

from dataclasses import dataclass

from e2e.faults.outcome import Outcome


@dataclass(kw_only=True)
class Upgrade(Outcome):
    """An outcome of the load, with what was deployed meanwhile."""

    step: int
    """Of the test, from 1."""
    before: str
    """Version of the chart before, such as `0.1.0`."""
    after: str
    way: str
    """What people type, such as `helm upgrade`."""
