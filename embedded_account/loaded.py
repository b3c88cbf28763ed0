"""Imports every module that registers statements and functions."""

from embedded_account import objects, query, tasks, usage

__all__ = ["objects", "query", "tasks", "usage"]
