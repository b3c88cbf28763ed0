"""What a spoke may import: names, configuration, features, datasets, model versions and task graphs.

The kit travels with each bundle into the account, so it needs only what the account's Python has: Snowpark,
snowflake-ml, snowflake-core, pandas, NumPy and PyYAML.
"""

__version__ = "0.1.0"
