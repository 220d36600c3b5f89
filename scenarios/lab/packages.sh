# packages.sh - server packages downloaded and unpacked, never installed.
#
# Sourced by lab. Installing them would start system daemons, and some of
# them conflict. All labs of one tree share the unpacked root; a lock keeps
# two of them from filling it at once.

# An apt of our own: its lists and cache live under the root, so that a plain
# user can refresh them and the machine's own are not touched.
private_apt() {
	local state=$LAB_ROOT.apt
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	apt-get -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state/cache" \
		-o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}

# download PACKAGE: its .deb in the current folder.
download() {
	if [ ! -e "$LAB_ROOT.apt/lists/refreshed" ]; then
		apt-get -o APT::Sandbox::User= -qq download "$1" \
			>> "$LAB_ROOT.log" 2>&1 && return
		# No lists on this machine, or older than its mirror.
		private_apt -qq update >> "$LAB_ROOT.log" 2>&1 ||
			die "cannot refresh the package lists; see $LAB_ROOT.log"
		touch "$LAB_ROOT.apt/lists/refreshed"
	fi
	private_apt -qq download "$1" >> "$LAB_ROOT.log" 2>&1 ||
		die "cannot download the Debian package $1; see $LAB_ROOT.log"
}

installed() {
	dpkg-query -W -f '${Status}' "$1" 2> /dev/null |
		grep -q 'install ok installed'
}

# The shared libraries and Python modules that a .deb depends on, one a line.
# Programs it would like beside it are named by who calls unpack.
needed_libraries() {
	dpkg-deb -f "$1" Depends | tr ',' '\n' |
		sed -E 's/\|.*//; s/\(.*//; s/:any//; s/ //g' |
		grep -E '^(lib|python3-)' |
		grep -vE '^(libc6|libgcc-s1|libpam-runtime)$'
}

# unpack PACKAGE…: into $LAB_ROOT, with the libraries this machine lacks.
unpack() {
	local package missing=
	for package; do
		[ -e "$LAB_ROOT/unpacked/$package" ] || missing=1
	done
	[ -n "$missing" ] || return 0
	mkdir -p "$(dirname "$LAB_ROOT")"
	(
		flock 9
		mkdir -p "$LAB_ROOT/unpacked"
		unpack_locked "$@"
	) 9> "$LAB_ROOT.lock" || exit 1
}

unpack_locked() {
	local package
	for package; do
		unpack_one "$package"
	done
}

# Depth first and marked last: a stop in the middle is made good by the next
# lab.
unpack_one() {
	local folder dependency
	[ ! -e "$LAB_ROOT/unpacked/$1" ] || return 0
	[[ " $UNPACKING " != *" $1 "* ]] || return 0
	UNPACKING+=" $1"
	say "unpacking $1"
	folder=$(mktemp -d "$LAB_ROOT.deb.XXXXXX")
	(cd "$folder" && download "$1") || exit 1
	dpkg-deb -x "$folder"/*.deb "$LAB_ROOT"
	for dependency in $(needed_libraries "$folder"/*.deb); do
		installed "$dependency" || unpack_one "$dependency"
	done
	rm -rf "$folder"
	touch "$LAB_ROOT/unpacked/$1"
}
UNPACKING=

# Where unpacked programs find their libraries; set for them alone.
root_libraries() {
	echo "$LAB_ROOT/usr/lib/$MULTIARCH:$LAB_ROOT/lib/$MULTIARCH"
}

in_root() {
	env LD_LIBRARY_PATH="$(root_libraries)" "$@"
}
MULTIARCH=$(gcc -print-multiarch)
