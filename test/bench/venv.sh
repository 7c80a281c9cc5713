# The environment of Python in which the peers of a benchmark run.  Sourced by sh scripts
# that run in the top folder of the tree.

# peers_python FOLDER REQUIREMENTS: set $python, whose packages are made in the folder build/bench/FOLDER
#   PYTHON=python3.11         makes the environment
#   PEERS_PYTHON=.../python   is taken instead of making one
peers_python()
{
	python=${PEERS_PYTHON:-}
	[ -z "$python" ] || return 0
	venv=$PWD/build/bench/$1
	python=$venv/bin/python
	if ! cmp -s "$2" "$venv/requirements.txt"; then
		rm -rf "$venv"
		mkdir -p "$PWD/build/bench"
		"${PYTHON:-python3}" -m venv "$venv"
		"$python" -m pip install --quiet --disable-pip-version-check -r "$2"
		cp "$2" "$venv/requirements.txt"
	fi
}
