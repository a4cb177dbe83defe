#pragma once

// core/lifecycle: what becomes of a device when something happens to it.
//
// What it is for: the states a device can be in, the one table that says what each event does in
// each of them, the policy clock, the pause before a dead server is started again, and the
// keep-alive of a session.
// What it may know: base. Pure: no clock, no descriptor, no system call; the time comes in with
// every call, what is to be done goes out as a set of actions.
// Where to start reading: state.h, then event.h, then table.cpp; machine.h is what a supervisor
// uses.
