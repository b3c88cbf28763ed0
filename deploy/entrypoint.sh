#!/bin/sh
# Runs the command as the image's own user. A block volume is mounted as root's, whatever the image says of /data.
# https://docs.snowflake.com/en/developer-guide/snowpark-container-services/specification-reference
set -eu
own="setpriv --reuid spokehub --regid spokehub --init-groups"
# Where the container may not change users it stays root, as containers with a block volume typically do.
if [ "$(id -u)" = 0 ] && $own true && chown -R spokehub:spokehub "${SPOKEHUB_DATA:-/data}"; then
    exec $own env HOME=/home/spokehub "$@"
fi
exec "$@"
