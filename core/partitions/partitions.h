#pragma once

// core/partitions: has the kernel show the partitions of a ublk disk.
//
// What it is for: the kernel does not look for partitions on our disks. On Linux 6.12 a scan that
// meets a dead server wedges the machine. Newer ones survive it, but would also scan whenever udev
// asks (BLKRRPART, after each write): its main process then hangs in the kernel while the cable is
// out, and with it the event that says the gadget is back (measured with udev 252 on 7.3). So the
// table is read here and told to the kernel, one partition after the other (BLKPG), which waits for
// no request, and leaves those in use as they are.
// What it may know: core/ublk, libblkid, sysfs. The table's bytes came over USB: only probe.h looks
// at them, in a process without privileges, and what that says is a stranger's word (list.h) until
// it is checked (table.h).
// Where to start reading: table.h, then changes.h; kernel.h has the kernel's side.
