"""The one family of errors of the generator and the simulator."""


class MockDataError(Exception):
    """A refusal: a stable ``code``, a ``message`` of what is wrong and a ``hint`` of what to do."""

    code = "MOCK_DATA"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class InvalidConfig(MockDataError):
    """A value of the network's configuration is out of range."""

    code = "INVALID_CONFIG"


class NotSeeded(MockDataError):
    """The schema holds no seeded network."""

    code = "NOT_SEEDED"


class SeededDifferently(MockDataError):
    """The schema was seeded with another configuration or by another version of the generator."""

    code = "SEEDED_DIFFERENTLY"


class TablesNotEmpty(MockDataError):
    """The tables hold rows that the generator did not write."""

    code = "TABLES_NOT_EMPTY"


class MorningAlreadyDone(MockDataError):
    """The day's morning is in the log."""

    code = "MORNING_ALREADY_DONE"


class MorningMissing(MockDataError):
    """An evening was asked for a day without its morning."""

    code = "MORNING_MISSING"


class EveningAlreadyDone(MockDataError):
    """The day's evening is in the log."""

    code = "EVENING_ALREADY_DONE"


class EveningOpen(MockDataError):
    """A morning was asked while the day before has no evening."""

    code = "EVENING_OPEN"


class DayOutOfOrder(MockDataError):
    """The day asked for would leave a gap, or lies inside the seed."""

    code = "DAY_OUT_OF_ORDER"


class ConcurrentChange(MockDataError):
    """Somebody else moved the simulation between reading its state and writing the phase."""

    code = "CONCURRENT_CHANGE"


class GenerationFailed(MockDataError):
    """The process that generates the rows ended without them."""

    code = "GENERATION_FAILED"
