-- As ACCOUNTADMIN: lets the service reach what the network rule names.
USE ROLE ACCOUNTADMIN;

-- https://docs.snowflake.com/en/sql-reference/sql/create-external-access-integration
CREATE OR REPLACE EXTERNAL ACCESS INTEGRATION SPOKEHUB_SERVICE_ACCOUNT
  ALLOWED_NETWORK_RULES = (SPOKEHUB_SERVICE.DEPLOYMENT.ACCOUNT)
  ENABLED = TRUE;

-- https://docs.snowflake.com/en/sql-reference/sql/grant-privilege
GRANT USAGE ON INTEGRATION SPOKEHUB_SERVICE_ACCOUNT TO ROLE SPOKEHUB_ADMIN;
