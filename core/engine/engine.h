#pragma once

// core/engine: the data path. Puts one session on one link, with ublk queues at the initiator's end
// and stores at the target's.
//
// What it is for: moving requests, payloads and answers with no copy and no system call that the
// kernel's interfaces do not force, and ending a session the moment anything is in doubt.
// What it may know: every floor below it.
// Copies per byte, write on the attach path: on the host one, from the block layer into usbfs's own
// memory (USER_COPY pread), or two before Linux 6.19, through ordinary memory; on the gadget one
// out of FunctionFS's buffer and one into the page cache. Reads take the same way back. A write
// whose answer does not say that it is durable is copied once more, into the write log. Where to
// start reading: dialect.h, then initiator_engine.h and target_engine.h, then how a session comes
// about: host_session.h and gadget_session.h.
