# The four peers: starting and stopping them, and which processes are whose. Sourced by bench.
#
# Each has its own UDC, which is its own bus. After start: node[PEER] is the block device, store[PEER] the file behind
# it, and host[PEER] and gadget[PEER] the process at either end (its children count with it).

declare -A node store host gadget
declare -A udc=([raw]=dummy_udc.0 [mass-storage]=dummy_udc.1 [attach]=dummy_udc.2 [lend]=dummy_udc.3)
configfs=/sys/kernel/config/usb_gadget
patience=30

# set_speed high|super: makes every bus that fast
set_speed() {
	rmmod dummy_hcd
	modprobe dummy_hcd num=4 is_super_speed="$([ "$1" = super ] && echo 1 || echo 0)"
}

# make_store PEER: a file without holes
make_store() {
	store[$1]=$stores/$1
	[ -s "$stores/block" ] || head -c 4M /dev/urandom >"$stores/block"
	local i
	for ((i = 0; i < store_mb; i += 4)); do cat "$stores/block"; done >"${store[$1]}"
}

# await_first_io PEER PREFIX, started before the gadget: then wait_first_io PEER
await_first_io() {
	"$programs/tests/bench/first_io" "bench-$1" "$2" "$patience" >"first-io.$1" &
	first_io=$!
}
wait_first_io() {
	local milliseconds
	wait "$first_io" || { tail -n 20 "$1".*.log >&2; die "$1: no block device"; }
	read -r "node[$1]" milliseconds <"first-io.$1"
	figure - - "$1" first_io_ms "$milliseconds"
}

start() { "start_${1//-/_}"; }
stop() { "stop_${1//-/_}"; }

start_raw() {
	coproc raw_loop { exec timeout 900 "$programs/tests/bench/raw_loop/raw_loop" "${udc[raw]}" 2>raw.log; }
	# bash forgets its own names for these when the program ends
	raw_pid=$raw_loop_PID raw_answers=${raw_loop[0]} raw_jobs=${raw_loop[1]}
	local line
	read -r -t "$patience" -u "$raw_answers" line && [ "$line" = ready ] || die "raw loop: $(<raw.log)"
}
stop_raw() {
	exec {raw_jobs}>&-
	wait "$raw_pid" || die "raw loop: $(<raw.log)"
}

start_mass_storage() {
	local path=$configfs/mass-storage
	make_store mass-storage
	mkdir "$path"
	mkdir "$path/strings/0x409" "$path/configs/c.1" "$path/functions/mass_storage.0"
	echo 0x1d6b >"$path/idVendor"
	echo 0x0104 >"$path/idProduct"
	echo bench-mass-storage >"$path/strings/0x409/serialnumber"
	echo "${store[mass-storage]}" >"$path/functions/mass_storage.0/lun.0/file"
	ln -s "$path/functions/mass_storage.0" "$path/configs/c.1/"
	await_first_io mass-storage sd
	echo "${udc[mass-storage]}" >"$path/UDC"
	wait_first_io mass-storage
	# Kernel threads: the driver's at the host, the function's at the gadget.
	host[mass-storage]=$(pgrep -x usb-storage)
	gadget[mass-storage]=$(pgrep -x file-storage)
}
stop_mass_storage() {
	local path=$configfs/mass-storage
	echo >"$path/UDC"
	rm "$path/configs/c.1/mass_storage.0"
	rmdir "$path/functions/mass_storage.0" "$path/configs/c.1" "$path/strings/0x409" "$path"
	rm "${store[mass-storage]}"
}

# start_belay PEER HOST-OPTIONS -- GADGET-OPTIONS
start_belay() {
	local peer=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	await_first_io "$peer" ublkb
	"$programs/helper/hostd/belay-hostd" --gadget "bench-$peer" --run-dir "/run/bench-$peer-host" "${options[@]}" \
		>"$peer.host.log" 2>&1 &
	host[$peer]=$!
	"$programs/helper/gadget/belay-gadget" --udc "${udc[$peer]}" --name "bench-$peer" --serial "bench-$peer" \
		--run-dir "/run/bench-$peer-gadget" "$@" >"$peer.gadget.log" 2>&1 &
	gadget[$peer]=$!
	wait_first_io "$peer"
}
# The host lets go of its devices first, then the gadget.
stop_belay() {
	local side pid
	for side in host gadget; do
		[ $side = host ] && pid=${host[$1]} || pid=${gadget[$1]}
		kill -TERM "$pid"
		wait "$pid" || { tail -n 20 "$1.$side.log" >&2; die "$1: the $side ended with status $?"; }
	done
	rm "${store[$1]}"
}

start_attach() {
	make_store attach
	start_belay attach --attach bench -- --share "${store[attach]}" --label bench
}
stop_attach() { stop_belay attach; }
start_lend() {
	make_store lend
	start_belay lend --lend "${store[lend]}" --label bench -- --lend-ready
}
stop_lend() { stop_belay lend; }
