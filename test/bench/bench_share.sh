#!/bin/sh
# Measure what sharing models costs and saves, on a private server: memory of many
# connections, first calls, throughput of a hundred clients, rights and pins.
# Exit status 0 says that it ran; which targets were missed is printed.
#
# usage: PG_CONFIG=... sh test/bench/bench_share.sh [options of share.py]
#   --seconds 600    of the run with a hundred clients; 60 unless told
set -eu
. test/private_server.sh

mkdir -p build/bench
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
python3 test/bench/data.py sms tweets

private_server_make
private_server_start 'max_connections = 120' 'shared_buffers = 256MB'
createdb bench
PGDATABASE=bench PATH="$PATH" python3 test/bench/share.py --data-directory "$work/data" "$@"
