-- As SPOKEHUB_ADMIN, once the image is pushed, from the repository's root: the service, and who may open its pages.
USE ROLE SPOKEHUB_ADMIN;

-- https://docs.snowflake.com/en/sql-reference/sql/put
PUT 'file://deploy/service.yaml' @SPOKEHUB_SERVICE.DEPLOYMENT.SPECIFICATIONS AUTO_COMPRESS = FALSE OVERWRITE = TRUE;

-- One instance: each has a block volume, and so a catalogue, of its own.
-- https://docs.snowflake.com/en/sql-reference/sql/create-service
CREATE SERVICE IF NOT EXISTS SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB
  IN COMPUTE POOL SPOKEHUB_SERVICE_POOL
  FROM @SPOKEHUB_SERVICE.DEPLOYMENT.SPECIFICATIONS
  SPECIFICATION_FILE = 'service.yaml'
  EXTERNAL_ACCESS_INTEGRATIONS = (SPOKEHUB_SERVICE_ACCOUNT)
  MIN_INSTANCES = 1
  MAX_INSTANCES = 1
  QUERY_WAREHOUSE = SPOKEHUB_WH
  COMMENT = 'Spokehub';

-- Whoever has the role may open the pages; SPOKEHUB_ADMINISTRATORS says who of them may change things.
-- https://docs.snowflake.com/en/sql-reference/sql/grant-service-role
-- https://docs.snowflake.com/en/sql-reference/sql/grant-privilege
GRANT USAGE ON DATABASE SPOKEHUB_SERVICE TO ROLE <ROLE_OF_ITS_USERS>;
GRANT USAGE ON SCHEMA SPOKEHUB_SERVICE.DEPLOYMENT TO ROLE <ROLE_OF_ITS_USERS>;
GRANT SERVICE ROLE SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB!USERS TO ROLE <ROLE_OF_ITS_USERS>;

-- Until its status is READY.
-- https://docs.snowflake.com/en/sql-reference/sql/show-service-containers-in-service
SHOW SERVICE CONTAINERS IN SERVICE SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB;
-- ingress_url is the address for a browser; it takes minutes to appear.
-- https://docs.snowflake.com/en/sql-reference/sql/show-endpoints
SHOW ENDPOINTS IN SERVICE SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB;
-- https://docs.snowflake.com/en/sql-reference/functions/system_get_service_logs
SELECT SYSTEM$GET_SERVICE_LOGS('SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB', '0', 'spokehub', 100);
