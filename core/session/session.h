#pragma once

// core/session: what the two ends of a session owe each other.
//
// What it is for: the initiator's ledger of requests that must not be lost, its log of writes that
// the target may yet lose, the target's list of requests that must not run twice, and the check
// that a returned disk is still the same one. What it may know: base and the neutral messages of
// wire. Pure: no descriptor, no system call, no clock; events come in as calls, what is to be done
// goes out as return values. Where to start reading: initiator.h, then target.h; for how exports
// share a session allotment.h; for the log write_log.h, then log_work.h.
