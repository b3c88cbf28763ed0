"""Who may do what: membership in roles, privileges, and the warehouse that a statement needs.

https://docs.snowflake.com/en/user-guide/security-access-control-overview
"""
