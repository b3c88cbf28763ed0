-- As ACCOUNTADMIN: the user that Spokehub connects as, with a key pair and no password. Replace what stands in <>.
-- Next: spokehub bootstrap --print --user SPOKEHUB_SERVICE, whose statements make the role SPOKEHUB_ADMIN and its rights.
USE ROLE ACCOUNTADMIN;

-- https://docs.snowflake.com/en/sql-reference/sql/create-user
-- https://docs.snowflake.com/en/user-guide/key-pair-auth
CREATE USER IF NOT EXISTS SPOKEHUB_SERVICE
  TYPE = SERVICE
  RSA_PUBLIC_KEY = '<the public key, without its first and last line>'
  COMMENT = 'Spokehub connects as this user';
