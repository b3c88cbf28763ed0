"""A Snowflake account in one local process, on which Snowflake's own clients run unmodified.

What it does and does not do, and every guess about Snowflake nobody could check, is in docs/embedded_account.md.
"""
