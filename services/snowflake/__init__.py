"""The gateway to the Snowflake account: connections, identifiers, recorded SQL."""
