#pragma once

// core/engine: the data path. Puts one session on one link, with ublk queues at the initiator's end
// and stores at the target's.
//
// What it is for: moving requests, payloads and answers with no copy and no system call that the
// kernel's interfaces do not force, and ending a session the moment anything is in doubt.
// What it may know: every floor below it.
// Copies per byte, write on the attach path: one from the block layer into transfer memory
// (USER_COPY pread), one by usbfs unless that memory is usbfs's own; on the gadget one out of
// FunctionFS's bounce buffer and one into the page cache. Reads take the same way back.
// Where to start reading: dialect.h, then initiator_engine.h and target_engine.h, then how a
// session comes about: host_session.h and gadget_session.h.
