#pragma once

// core/ublk: the kernel's userspace block driver, as one server process needs it.
//
// What it is for: making, starting, recovering and removing ublk devices, and moving requests and
// their bytes between the kernel and a server. Privileged commands come from short-lived processes
// (control_process.h), a server without privileges sends its own three (server_control.h).
// What it may know: the ublk driver of Linux 6.12 and 7.x, sysfs and procfs; nothing of sessions,
// USB or stores. One hardware queue per device, because Linux 6.12 oopses on half-fetched others.
// Where to start reading: device.h, then queue.h, then bringup.h for the order of a recovery.
