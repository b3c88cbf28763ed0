"""Random streams named by (seed, purpose, day), so that no draw depends on what was drawn before."""

from enum import IntEnum

import numpy as np
from numpy.random import Generator, Philox


class Purpose(IntEnum):
    """What a stream is for. Values are part of the data: never reuse or renumber one."""

    NETWORK = 1
    DEMAND = 2
    PARCELS = 3
    OUTCOMES = 4
    ASSIGNMENT = 5
    CLOSURES = 6
    NAMES = 7
    STREETS = 8
    DISTRICTS = 9


def stream(seed: int, purpose: Purpose, day: int = 0) -> Generator:
    """The stream of one purpose for `day`, counted from 1970-01-01 (0 where no day matters)."""
    return np.random.Generator(Philox(np.random.SeedSequence((seed, int(purpose), day))))
