#!/bin/sh
# Measure pre-trained encoders against ONNX Runtime and PyTorch, on a private server: truth,
# throughput, tokenising, latency, memory, against the targets.  Takes about ten minutes.
# Exit status 0 says that it ran; which targets were missed is printed.
#
# usage: PG_CONFIG=... sh test/bench/bench_encoder.sh [options of encoder.py]
#   PYTHON=python3.11, PEERS_PYTHON=...    as venv.sh has them
# Needs the models of "make models".
set -eu
. test/private_server.sh
. test/bench/venv.sh

# What is set for other machines or other programs than those that run here
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

[ -f build/models/minilm/model.safetensors ] || { echo 'run "make models" first' >&2; exit 1; }
peers_python venv-encoder test/bench/requirements-encoder.txt
"$python" test/bench/data.py sms spam

private_server_make
private_server_start
createdb bench
PGDATABASE=bench
export PGDATABASE
PATH="$PATH" "$python" test/bench/encoder.py "$@"
