#!/bin/sh
# Measure the text classifier against scikit-learn and fastText, on a private
# server: quality, time, size, against the targets.  Takes over an hour, nearly all
# of it for the peers.
# Exit status 0 says that it ran; which targets were missed is printed.
#
# usage: PG_CONFIG=... sh test/bench/bench_text.sh [options of text.py]
#   PYTHON=python3.11, PEERS_PYTHON=...    as venv.sh has them
#   KEEP_PEERS=1                           takes the peers' results from the last run
# Results: build/bench/text.json, build/bench/peers.json
set -eu
. test/private_server.sh
. test/bench/venv.sh

bench=$PWD/build/bench
mkdir -p "$bench"
peers_python venv test/bench/requirements.txt
export PYTHONDONTWRITEBYTECODE=1
"$python" test/bench/data.py

[ -n "${KEEP_PEERS:-}" ] || rm -f "$bench/peers.json"

private_server_make
private_server_start
createdb bench
PGDATABASE=bench PATH="$PATH" "$python" test/bench/text.py \
	--core-program build/core/bench_core_text "$@"
