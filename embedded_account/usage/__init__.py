"""INFORMATION_SCHEMA and ACCOUNT_USAGE."""

from embedded_account.usage import dynamic_tables, information_schema

__all__ = ["dynamic_tables", "information_schema"]
