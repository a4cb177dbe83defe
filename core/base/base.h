#pragma once

// core/base: the floor everything stands on.
//
// What it is for: errors as values, owned descriptors, bytes on the wire, units that cannot be
// mixed up, memory for transfers, and the event ring that a process's one thread runs.
// What it may know: Linux and liburing; nothing of ublk, USB, sessions or files.
// Where to start reading: error.h, then units.h, then ring.h.
