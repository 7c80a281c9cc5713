#!/bin/sh
# Compare tokenizers with Hugging Face's on real and random strings: no id, span or text may
# differ.
#
# usage: sh test/tokenizers/check.sh PROGRAM [options of check.py]
#   PYTHON=python3.11, PEERS_PYTHON=...    as test/bench/venv.sh has them
#   TOKENIZERS_FLAGS="--texts 5000"        options, too
set -eu
program=$1
. test/bench/venv.sh

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

peers_python venv-tokenizers test/tokenizers/requirements.txt
# shellcheck disable=SC2086
"$python" test/tokenizers/check.py "$program" ${TOKENIZERS_FLAGS:-}
