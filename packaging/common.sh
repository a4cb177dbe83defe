# Where things that can be made again are kept, and the few words that the scripts here and those of the tests share.
# Sourced by bash.
#
# All of it is outside the source tree, in one cache:
#   build/NAME-KEY/   a source tree's builds: those of packaging/try, packaging/deb and tests/run
#   polkit-qt/        polkit-qt for Qt 6, where the system has none (packaging/polkit-qt)
# and what the virtual machines need (tests/vm/rig/common.sh), and the roots of other distributions (tests/distribution).
# BELAY_CACHE names it; without that it is belay/ in the user's cache folder.

home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
cache=${BELAY_CACHE:-${XDG_CACHE_HOME:-${home:-/var/tmp}/.cache}/belay}

# build_folder SOURCE: where what is built of this source tree goes, in folders by its kind. BELAY_BUILD replaces it.
build_folder() {
	echo "${BELAY_BUILD:-$cache/build/$(basename "$1")-$(echo "$1" | key)}"
}

# key FILE...: ten characters that change when any of the files, or the standard input, does
key() {
	cat -- "$@" - | sha256sum | cut -c1-10
}

# debian_mirror FOLDER: the URI of the mirror that this machine trusts for its own Debian packages; fails if it has
# none. BELAY_DEBIAN_MIRROR replaces it, for machines that are not Debian. FOLDER is for apt's lists, if it needs some.
debian_mirror() {
	local uri=${BELAY_DEBIAN_MIRROR:-} own
	[ -n "$uri" ] || uri=$(first_debian_mirror)
	if [ -z "$uri" ]; then
		# where apt-get update was never run, apt does not know yet; ask into a folder of our own
		mkdir -p "$1/machine/partial" "$1/cache/archives/partial"
		own=(-o "Dir::State::lists=$1/machine" -o "Dir::Cache=$1/cache" -o APT::Sandbox::User=root)
		apt-get "${own[@]}" -qq update >/dev/null 2>&1 || true
		uri=$(first_debian_mirror "${own[@]}")
	fi
	[ -n "$uri" ] && echo "$uri"
}

# first_debian_mirror OPTION...: the first of apt's sources that says it is Debian's
first_debian_mirror() {
	apt-get "$@" indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "main" && !found++ { print $1 }'
}

# debian_apt FOLDER LINE...: sets the array apt to the options with which apt sees these lines of a sources.list and
# nothing else, and keeps all that it knows in FOLDER: nothing of the machine's state changes, root is not needed.
debian_apt() {
	local folder=$1
	shift
	mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
	printf '%s\n' "$@" >"$folder/sources.list"
	apt=(-q -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache"
		-o APT::Sandbox::User=root)
}

# signed_by: the option of a sources.list line with which Debian's suites are believed on machines that are not Debian
signed_by() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ ! -e "$keyring" ] || echo "signed-by=$keyring"
}
