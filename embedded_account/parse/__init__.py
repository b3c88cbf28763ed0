"""Reading Snowflake statements that sqlglot leaves as raw commands."""
