#!/bin/sh
# The demo on a throw-away server; "sh setup.sh demo" calls it.
set -u
. test/private_server.sh

private_server_make
private_server_start
echo "A PostgreSQL $("$PG_CONFIG" --version | awk '{ print $2 }') server runs in $work; it goes away when the demo ends."
echo
createdb demo
psql -X -q -d demo -v ON_ERROR_STOP=1 -f test/demo/demo.sql
