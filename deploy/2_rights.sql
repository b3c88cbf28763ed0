-- As ACCOUNTADMIN, after the statements of spokehub bootstrap: what the role needs besides to own a container service.
-- ACCOUNTADMIN itself cannot own one:
-- https://docs.snowflake.com/en/developer-guide/snowpark-container-services/additional-considerations-services-jobs
USE ROLE ACCOUNTADMIN;

-- https://docs.snowflake.com/en/sql-reference/sql/create-compute-pool
GRANT CREATE COMPUTE POOL ON ACCOUNT TO ROLE SPOKEHUB_ADMIN;

-- PUBLIC has it unless it was revoked.
-- https://docs.snowflake.com/en/release-notes/bcr-bundles/un-bundled/bcr-2321
GRANT BIND SERVICE ENDPOINT ON ACCOUNT TO ROLE SPOKEHUB_ADMIN;
