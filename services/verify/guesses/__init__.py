"""The guesses that an account can decide, by subject, each with its probe."""

from services.verify.guesses import models, packages, statements, tables, tasks
from services.verify.types import Guess

GUESSES: tuple[Guess, ...] = (
    *statements.GUESSES,
    *tables.GUESSES,
    *packages.GUESSES,
    *tasks.GUESSES,
    *models.GUESSES,
)
