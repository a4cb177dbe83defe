# The guest's hardware and kernel arguments: the same for a boot, a save and a restore. Sourced by bash.
#
# machine KERNELDIR INITRAMFS CPUS MB JOBDIR: sets $machine, QEMU and its arguments
# state_key KERNELDIR INITRAMFS CPUS MB: prints what identifies a saved state of that machine
# is_arm KERNELDIR: whether that kernel is for ARM
# qemu KERNELDIR: prints the QEMU that runs it
#
# A KERNELDIR is no link: its name is the kernel's release.
#
# Why these choices (measured under QEMU 7.2 without hardware virtualisation):
# - Nehalem, not max: newer models have fast string moves, which kernels then use and QEMU emulates byte by byte
#   (page cache reads 460 MB/s instead of 3,000).
# - norandmaps: QEMU keys translated code by address, so random ones throw it away at every exec (2 to 3 times).
# - q35, not microvm: without HPET and PM timer the clock calibration hung now and then.
# - tsc_early_khz spares the calibration, which goes wrong on a busy machine. The guest's TSC is the host's; what
#   /proc/cpuinfo says is its rate only where the host is itself a guest, elsewhere it is the present core clock.
# - output by virtserialport (1 MB in 34 ms; 9p 56, serial 210 per 100 kB), kernel messages by the serial port.
# - panic on any warning or oops, and -no-reboot: the guest is gone at once, the test fails, the log is at its end.
# - the network card is always there, so that one saved state serves runs with and without a network. In a saved
#   state it hangs on a hub: a state saved with user networking restores with nothing else.
# - the ARM machines are QEMU's own; of a 32-bit one all devices are where a kernel without LPAE can reach them.

is_arm() {
	[[ $1 = *-armmp || $1 = *-arm64 ]]
}

qemu() {
	case $1 in
	*-armmp) echo qemu-system-arm ;;
	*-arm64) echo qemu-system-aarch64 ;;
	*) echo "${BELAY_QEMU:-qemu-system-x86_64}" ;;
	esac
}

# kernel_arguments KERNELDIR
kernel_arguments() {
	local console=ttyAMA0 khz clock=
	if ! is_arm "$1"; then
		console=ttyS0 clock=no_timer_check
		khz=$(awk '/^flags/ && / hypervisor/ { guest = 1 } /^cpu MHz/ && !mhz { mhz = $4 } END { if (guest && mhz) printf "%d", mhz * 1000 }' /proc/cpuinfo)
		[ -z "$khz" ] || clock+=" tsc=reliable tsc_early_khz=$khz"
	fi
	echo "console=$console quiet loglevel=5 panic=-1 oops=panic panic_on_warn=1" \
		"norandmaps mitigations=off lsm=capability rodata=off init_on_alloc=0 kfence.sample_interval=0 audit=0" \
		"nowatchdog cryptomgr.notests rcupdate.rcu_expedited=1 random.trust_cpu=on" \
		"$clock ${BELAY_VM_APPEND:-}"
}

machine() {
	local kernel=$1 initramfs=$2 cpus=$3 mb=$4 job=${5//,/,,} hardware
	case $kernel in
	*-armmp) hardware=(-machine virt,highmem=off -cpu cortex-a15) ;;
	*-arm64) hardware=(-machine virt -cpu cortex-a53) ;;
	*) hardware=(-machine q35 -cpu Nehalem,+rdrand -device isa-debug-exit,iobase=0xf4,iosize=0x04) ;;
	esac
	machine=("$(qemu "$kernel")" -nodefaults -no-user-config -display none -no-reboot
		"${hardware[@]}" -accel tcg,thread=multi -smp "$cpus" -m "$mb"
		-kernel "$kernel/vmlinux" -initrd "$initramfs" -append "$(kernel_arguments "$kernel") belay.wait"
		-chardev "file,id=console,path=$job/console.log" -serial chardev:console
		-device virtio-serial-pci
		-device virtserialport,chardev=out,name=out -device virtserialport,chardev=ctl,name=ctl
		-device virtio-net-pci,netdev=net,romfile=
		-virtfs "local,path=$job,mount_tag=job,security_model=none,multidevs=remap"
		-virtfs "local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap")
}

state_key() {
	{
		"$(qemu "$1")" --version
		kernel_arguments "$1"
		echo "$1 $2 $3 $4"
		stat -c '%s %Y' "$1/vmlinux"
	} | key "$rig/machine.sh" "$rig/save"
}
