"""INFORMATION_SCHEMA and ACCOUNT_USAGE."""

from embedded_account.usage import information_schema

__all__ = ["information_schema"]
