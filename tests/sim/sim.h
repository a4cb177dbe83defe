#pragma once

// tests/sim: the two ends of a session in a virtual world.
//
// What it is for: driving session::Initiator and session::Target, the real classes, through
// histories of faults that nobody would think of, and checking every answer against a model.
// What it may know: core/session, core/wire's native codec. No system call, no clock, no thread:
// one seed is one history, the same on every machine.
// Where to start reading: world.h, then model_disk.h (what is right), initiator_end.h and
// target_end.h (what the engines do, without ublk, USB and files).
