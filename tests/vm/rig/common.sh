# Where the rig keeps things, and the few words all its scripts share. Sourced by bash.
#
# What can be made again is in the cache that packaging/common.sh names; the rig's part of it:
#   kernels/RELEASE/            vmlinux, lib/modules, initramfs.KEY.cpio
#   kernels/6.12, .../newest    links to the release each name stands for today
#   states/KEY.state            machines saved just before they mount anything
#   apt/                        package lists of the suites that kernels come from

rig=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$rig/../../../packaging/common.sh"

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
