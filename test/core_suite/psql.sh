#!/bin/sh
# pg_regress starts psql through this script: psql marks where a statement begins and
# what it was sent as, so that compare.py knows which output belongs to which statement.
exec 3<&0 </dev/null
exec "$@" --single-step --file=/dev/fd/3
