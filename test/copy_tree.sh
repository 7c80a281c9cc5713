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
