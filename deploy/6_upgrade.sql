-- As SPOKEHUB_ADMIN, once an image of another tag is pushed and service.yaml names it: the address and the volume stay.
USE ROLE SPOKEHUB_ADMIN;

-- The volume as it is before the upgrade.
-- https://docs.snowflake.com/en/sql-reference/sql/create-snapshot
CREATE SNAPSHOT IF NOT EXISTS SPOKEHUB_SERVICE.DEPLOYMENT.BEFORE_UPGRADE
  FROM SERVICE SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB
  VOLUME "data"
  INSTANCE 0;

-- https://docs.snowflake.com/en/sql-reference/sql/put
PUT 'file://deploy/service.yaml' @SPOKEHUB_SERVICE.DEPLOYMENT.SPECIFICATIONS AUTO_COMPRESS = FALSE OVERWRITE = TRUE;

-- https://docs.snowflake.com/en/sql-reference/sql/alter-service
ALTER SERVICE SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB
  FROM @SPOKEHUB_SERVICE.DEPLOYMENT.SPECIFICATIONS
  SPECIFICATION_FILE = 'service.yaml';

-- https://docs.snowflake.com/en/sql-reference/sql/show-service-containers-in-service
SHOW SERVICE CONTAINERS IN SERVICE SPOKEHUB_SERVICE.DEPLOYMENT.SPOKEHUB;
-- Once the new one works:
-- https://docs.snowflake.com/en/sql-reference/sql/drop-snapshot
DROP SNAPSHOT IF EXISTS SPOKEHUB_SERVICE.DEPLOYMENT.BEFORE_UPGRADE;
