# copy_tree FOLDER: a copy of this tree without what was built, for a build with other
# flags or for another server.  What is built in the copy stays there when it is brought
# up to date.  Sourced by sh scripts that run in the top folder of the tree.
copy_tree()
{
	mkdir -p "$1"
	(cd "$1" && find . -path ./build -prune -o -type f ! -name '*.[od]' ! -name '*.so' -exec rm -f {} +)
	tar -c --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.so' . |
		tar -x -C "$1"
}

# Go to a copy in build/debug, compiled so that all functions of the server can be batched
# (aiaas.debug_batch_all).
go_to_debug_build()
{
	copy_tree build/debug
	cd build/debug || exit 1
	export COPT="${COPT:-} -DAIAAS_DEBUG_BATCH"
	MAKEFLAGS= make -s -j"$(nproc)" >build.log 2>&1 || { cat build.log; exit 1; }
}
