#!/bin/sh
# Measure training and applying of networks against PyTorch and Keras, on a private server:
# time, quality, memory, against the targets.  Takes about an hour, nearly all of it for
# the peers.
# Exit status 0 says that it ran; which targets were missed is printed.
#
# usage: PG_CONFIG=... sh test/bench/bench_network.sh [options of network.py]
#   --quick                                fewer rows where an epoch takes long
#   PYTHON=python3.11, PEERS_PYTHON=...    as venv.sh has them
# Needs Debian's package dataset-fashion-mnist.
set -eu
. test/private_server.sh
. test/bench/venv.sh

# What is set for other machines or other programs than those that run here
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

peers_python venv-network test/bench/requirements-network.txt
"$python" test/bench/data.py tweets

private_server_make
private_server_start
createdb bench
PGDATABASE=bench
export PGDATABASE
psql -qX -v ON_ERROR_STOP=1 -f examples/fashion-mnist.sql
PATH="$PATH" "$python" test/bench/network.py "$@"
