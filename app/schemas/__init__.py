"""The shapes of the REST API, one file for each domain."""
