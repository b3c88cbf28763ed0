"""The catalogue database: engine, records, migrations."""
