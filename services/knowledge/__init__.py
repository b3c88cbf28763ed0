"""What the account answered last to what pages ask, so that nobody who looks has to ask it."""

from services.knowledge.known import KnownAnswers
from services.knowledge.service import Knowledge

__all__ = ["Knowledge", "KnownAnswers"]
