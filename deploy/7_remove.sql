-- Removes the service and what it was made of, not the hub: its database, warehouse, roles and the spokes stay.
USE ROLE SPOKEHUB_ADMIN;

-- FORCE: with its block volume, of which a snapshot is kept for 7 days.
-- https://docs.snowflake.com/en/sql-reference/sql/drop-service
DROP SERVICE IF EXISTS SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB FORCE;
-- https://docs.snowflake.com/en/sql-reference/sql/drop-compute-pool
DROP COMPUTE POOL IF EXISTS SPOKEHUB_SERVICE_POOL;

USE ROLE ACCOUNTADMIN;

-- https://docs.snowflake.com/en/sql-reference/sql/drop-integration
DROP INTEGRATION IF EXISTS SPOKEHUB_SERVICE_ACCOUNT;
-- https://docs.snowflake.com/en/sql-reference/sql/drop-database
DROP DATABASE IF EXISTS SPOKEHUB_SERVICE;
-- https://docs.snowflake.com/en/sql-reference/sql/drop-user
DROP USER IF EXISTS SPOKEHUB_SERVICE;
