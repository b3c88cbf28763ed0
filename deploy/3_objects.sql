-- As SPOKEHUB_ADMIN: where the service runs and what it is made of. Replace what stands in <>.
-- The database is the service's own: SPOKEHUB is the hub's, which Spokehub makes itself.
USE ROLE SPOKEHUB_ADMIN;

-- One node, as the service has one instance.
-- https://docs.snowflake.com/en/sql-reference/sql/create-compute-pool
CREATE COMPUTE POOL IF NOT EXISTS SPOKEHUB_SERVICE_POOL
  MIN_NODES = 1
  MAX_NODES = 1
  INSTANCE_FAMILY = CPU_X64_XS
  AUTO_SUSPEND_SECS = 300
  COMMENT = 'Spokehub itself';

-- As hub.yaml declares it, so that hub.apply finds it there: a service's QUERY_WAREHOUSE has to exist before the service.
-- https://docs.snowflake.com/en/sql-reference/sql/create-warehouse
CREATE WAREHOUSE IF NOT EXISTS SPOKEHUB_WH
  WAREHOUSE_SIZE = XSMALL
  AUTO_SUSPEND = 120
  AUTO_RESUME = TRUE
  INITIALLY_SUSPENDED = TRUE;

-- https://docs.snowflake.com/en/sql-reference/sql/create-database
CREATE DATABASE IF NOT EXISTS SPOKEHUB_SERVICE COMMENT = 'Image, specification and login of the service';
-- https://docs.snowflake.com/en/sql-reference/sql/create-schema
CREATE SCHEMA IF NOT EXISTS SPOKEHUB_SERVICE.DEPLOYMENT;
-- https://docs.snowflake.com/en/sql-reference/sql/create-image-repository
CREATE IMAGE REPOSITORY IF NOT EXISTS SPOKEHUB_SERVICE.DEPLOYMENT.IMAGES;
-- https://docs.snowflake.com/en/sql-reference/sql/create-stage
CREATE STAGE IF NOT EXISTS SPOKEHUB_SERVICE.DEPLOYMENT.SPECIFICATIONS;

-- The connection "spokehub", in the words of connections.toml. The connector reads it from SNOWFLAKE_CONNECTIONS.
-- https://docs.snowflake.com/en/sql-reference/sql/create-secret
CREATE SECRET IF NOT EXISTS SPOKEHUB_SERVICE.DEPLOYMENT.CONNECTION
  TYPE = GENERIC_STRING
  SECRET_STRING = '
[spokehub]
account = "<organization>-<account>"
user = "SPOKEHUB_SERVICE"
role = "SPOKEHUB_ADMIN"
warehouse = "SPOKEHUB_WH"
authenticator = "SNOWFLAKE_JWT"
private_key = "<the private key: base64 of its unencrypted PKCS#8 DER>"
';

-- Where this login goes: the account's address, and the hosts of STAGE and OCSP_CACHE in SYSTEM$ALLOWLIST().
-- https://docs.snowflake.com/en/sql-reference/functions/system_allowlist
-- https://docs.snowflake.com/en/sql-reference/sql/create-network-rule
CREATE OR REPLACE NETWORK RULE SPOKEHUB_SERVICE.DEPLOYMENT.ACCOUNT
  TYPE = HOST_PORT
  MODE = EGRESS
  VALUE_LIST = ('<organization>-<account>.snowflakecomputing.com:443', '<host>:443', '<OCSP cache>:80');

-- repository_url is where the image is pushed to.
-- https://docs.snowflake.com/en/sql-reference/sql/show-image-repositories
SHOW IMAGE REPOSITORIES IN SCHEMA SPOKEHUB_SERVICE.DEPLOYMENT;
