"""Answers, by the name that they had."""

from services.snowflake.answers import Answers

__all__ = ["Answers"]
