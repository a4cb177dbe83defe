# Where the rig keeps things, and the few words all its scripts share. Sourced by bash.
#
# Everything that can be made again lives outside the source tree, in one cache:
#   kernels/RELEASE/            vmlinux, lib/modules, initramfs.KEY.cpio
#   kernels/6.12, .../newest    links to the release each name stands for today
#   states/KEY.state            machines saved just before they mount anything
#   apt/                        package lists of the suites that kernels come from
# BELAY_CACHE names it; without that it is belay/ in the user's cache folder.

rig=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
cache=${BELAY_CACHE:-${XDG_CACHE_HOME:-${home:-/var/tmp}/.cache}/belay}

# die WORDS...: say why, as the script that was called, and leave as "the rig failed, not the test"
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 125
}

# need COMMAND...: all of these are on PATH
need() {
	local c missing=()
	for c; do command -v "$c" >/dev/null || missing+=("$c"); done
	[ ${#missing[@]} = 0 ] || die "missing: ${missing[*]} (packaging/setup test installs what the rig needs)"
}

# key FILE...: ten characters that change when any of the files, or the standard input, does
key() {
	cat -- "$@" - | sha256sum | cut -c1-10
}
