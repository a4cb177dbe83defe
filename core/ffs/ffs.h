#pragma once

// core/ffs: the gadget's end of the cable.
//
// What it is for: makes this machine appear on the bus (configfs), speaks for one interface of it
// (FunctionFS), and turns that interface's four endpoints into a wire::Link.
// What it may know: configfs, FunctionFS, Linux AIO, and the bytes of USB descriptors; nothing of
// sessions, exports or ublk, and nothing of what the messages or control requests mean.
// Where to start reading: descriptors.h (what the host sees), then configfs.h, function.h, and
// gadget_link.h, which are used in that order.
