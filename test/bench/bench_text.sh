#!/bin/sh
# Measure the text classifier against scikit-learn and fastText, on a private
# server: quality, time, size, against the targets.  Takes over an hour, nearly all
# of it for the peers.
# Exit status 0 says that it ran; which targets were missed is printed.
#
# usage: PG_CONFIG=... sh test/bench/bench_text.sh [options of text.py]
#   PYTHON=python3.11   makes the environment of the peers, requirements.txt
#   KEEP_PEERS=1        takes the peers' results from the last run
# Results: build/bench/text.json, build/bench/peers.json
set -eu
. test/private_server.sh

bench=$PWD/build/bench
python=$bench/venv/bin/python
mkdir -p "$bench"

if ! cmp -s test/bench/requirements.txt "$bench/venv/requirements.txt"; then
	rm -rf "$bench/venv"
	"${PYTHON:-python3}" -m venv "$bench/venv"
	"$python" -m pip install --quiet --disable-pip-version-check -r test/bench/requirements.txt
	cp test/bench/requirements.txt "$bench/venv/requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1
"$python" test/bench/data.py

[ -n "${KEEP_PEERS:-}" ] || rm -f "$bench/peers.json"

private_server_make
private_server_start
createdb bench
PGDATABASE=bench PATH="$PATH" "$python" test/bench/text.py \
	--core-program build/core/bench_core_text "$@"
