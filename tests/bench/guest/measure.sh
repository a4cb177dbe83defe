# One measurement of each kind. Sourced by bench.

# fio_job WORKLOAD: fio's options for a name like seq-read-64k-8 or rand-write-4k-32
fio_job() {
	local order direction size depth
	IFS=- read -r order direction size depth <<<"$1"
	[ "$order" = seq ] || direction=rand$direction
	echo "--rw=$direction --bs=$size --iodepth=$depth"
}

# raw_jobs WORKLOAD: what the raw loop has to compare with it, where the host is the initiator and where the gadget is
raw_jobs() {
	case $1 in
	seq-read-*) echo "in-${1#seq-read-} out-${1#seq-read-}" ;;
	seq-write-*) echo "out-${1#seq-write-} in-${1#seq-write-}" ;;
	rand-*) echo "host-${1#rand-} gadget-${1#rand-}" ;;
	esac
}

# family PID: it and everything it started
family() {
	local pid children
	echo "$1"
	read -r children <"/proc/$1/task/$1/children" 2>/dev/null || true
	for pid in ${children:-}; do family "$pid"; done
}

# ticks PID: processor time its family has used, in hundredths of a second
ticks() {
	local pid line fields sum=0
	for pid in $(family "$1"); do
		read -r line 2>/dev/null <"/proc/$pid/stat" || continue
		# the name, in brackets, may contain blanks; user and system time are the 14th and 15th field
		read -ra fields <<<"${line##*) }"
		sum=$((sum + fields[11] + fields[12]))
	done
	echo "$sum"
}

# memory PID FIELD: of its family, summed, in KiB; FIELD is a line of /proc/PID/status. The gadget's belay-aio-guard has
# no memory of its own, but its worker's.
memory() {
	local pid sum=0 value name
	for pid in $(family "$1"); do
		read -r name 2>/dev/null <"/proc/$pid/comm" && [ "$name" != belay-aio-guard ] || continue
		value=$(awk -v field="$2:" '$1 == field { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
		sum=$((sum + ${value:-0}))
	done
	echo "$sum"
}

# measure_raw ROUND WORKLOAD
measure_raw() {
	local job initiator=host measure value answered
	for job in $(raw_jobs "$2"); do
		echo "$job $seconds" >&"$raw_jobs" || die "raw loop: $(<raw.log)"
		answered=
		while read -r -t 60 -u "$raw_answers" measure value && [ -n "$measure" ]; do
			answered=1
			figure "$1" "$2" "raw-$initiator" "$measure" "$value"
		done
		[ -n "$answered" ] || die "raw loop, $job: $(<raw.log)"
		initiator=gadget
	done
}

# measure_device PEER ROUND WORKLOAD
measure_device() {
	local peer=$1 round=$2 workload=$3 host_before gadget_before measure value seconds_run=
	host_before=$(ticks "${host[$peer]}")
	gadget_before=$(ticks "${gadget[$peer]}")
	# shellcheck disable=SC2046
	timeout 60 fio --name="$workload" --filename="${node[$peer]}" --direct=1 --ioengine=io_uring --thread \
		$(fio_job "$workload") --size=${store_mb}M --time_based --runtime="$(awk -v s="$seconds" 'BEGIN { print int(s * 1000) }')ms" --randrepeat=0 \
		--output-format=json --output=fio.json || { cat fio.json >&2; die "$peer: fio failed in $workload"; }
	local host_after gadget_after
	host_after=$(ticks "${host[$peer]}")
	gadget_after=$(ticks "${gadget[$peer]}")
	"$programs/tests/bench/fio_figures" <fio.json >fio.figures || die "$peer: no figures of $workload"
	while read -r measure value; do
		if [ "$measure" = seconds ]; then seconds_run=$value; else figure "$round" "$workload" "$peer" "$measure" "$value"; fi
	done <fio.figures
	figure "$round" "$workload" "$peer" cpu_host "$(share "$host_before" "$host_after" "$seconds_run")"
	figure "$round" "$workload" "$peer" cpu_gadget "$(share "$gadget_before" "$gadget_after" "$seconds_run")"
}
# share BEFORE AFTER SECONDS: of one processor
share() { awk -v t="$(($2 - $1))" -v s="$3" 'BEGIN { printf "%.4f\n", t / 100 / s }'; }

measure_mass_storage() { measure_device mass-storage "$@"; }
measure_attach() { measure_device attach "$@"; }
measure_lend() { measure_device lend "$@"; }

# check_data PEER: what is written through the device comes back, and is what the store has
check_data() {
	timeout 120 fio --name=verify --filename="${node[$1]}" --direct=1 --ioengine=io_uring --thread --rw=randwrite \
		--bsrange=4k-256k --iodepth=16 --size=16M --randrepeat=0 --verify=crc32c --verify_fatal=1 \
		--output-format=json --output=fio.json || { cat fio.json >&2; die "$1: fio found wrong data"; }
	sync "${node[$1]}"
	blockdev --flushbufs "${node[$1]}"
	timeout 120 cmp "${node[$1]}" "${store[$1]}" || die "$1: the store has other data than the device"
	figure - - "$1" data_right 1
}

# measure_rest: memory after the work, and processor time while nothing is asked for
measure_rest() {
	local peer side pid idle=5 before=()
	# Trailing work (write-back, timers after the last request) is not idleness.
	sleep 7
	for peer in attach lend; do
		enabled "$peer" || continue
		before+=("$(ticks "${host[$peer]}")" "$(ticks "${gadget[$peer]}")")
	done
	sleep "$idle"
	for peer in attach lend; do
		enabled "$peer" || continue
		for side in host gadget; do
			[ $side = host ] && pid=${host[$peer]} || pid=${gadget[$peer]}
			figure - - "$peer" "idle_ms_$side" "$(awk -v t=$(($(ticks "$pid") - before[0])) -v s=$idle 'BEGIN { print t * 10 / s }')"
			before=("${before[@]:1}")
			# What a process shares with its supervisor is write logs, and they have a bound of their own. The rest
			# does not shrink.
			figure - - "$peer" "own_$side" "$(($(memory "$pid" RssAnon) + $(memory "$pid" RssFile)))"
			figure - - "$peer" "rss_$side" "$(memory "$pid" VmRSS)"
			figure - - "$peer" "peak_$side" "$(memory "$pid" VmHWM)"
		done
	done
}
