"""Snowflake's format models in Python, where DuckDB has nothing of the same meaning. They know nothing of SQL."""
