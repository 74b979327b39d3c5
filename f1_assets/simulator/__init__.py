"""A made-up Formula 1 season in the services' own wire formats, for the demo, for tests and for load.

It knows nothing of the rest of f1_assets, so that it can stand as a referee.
"""

from f1_assets.simulator.options import SimulatorOptions
from f1_assets.simulator.service import SimulatedResponse, Simulator

__all__ = ["SimulatedResponse", "Simulator", "SimulatorOptions"]
