#pragma once

// What tests/unit/tst_lifecycle_table.cpp expects of the table: written from the design's prose,
// event by event, while the table goes state by state.

namespace belay::lifecycle::test {

// One line per event and target: "event: states -> next: actions". A state may stand for itself
// as next ("-> same"). Every line's states are separated by blanks.
inline constexpr const char* kMoves[] = {
    "started: starting -> live: notify",
    "start-failed: starting -> stopping: stop-device notify",
    // The cable.
    "peer-back: waiting -> resuming: open-session",
    "peer-back: stopping -> same: open-session",
    "link-lost: starting -> stopping: stop-device notify",
    "link-lost: live -> waiting: start-policy-clock notify",
    "link-lost: resuming -> waiting: start-policy-clock",
    // Sessions.
    "session-open: live -> resuming:",
    "session-open: waiting resuming -> resuming: stop-policy-clock",
    "session-open: failed -> resuming: resume-io",
    "session-open: needs-attention -> resuming: stop-policy-clock resume-io",
    "session-failed: starting -> stopping: stop-device notify",
    "session-failed: resuming -> waiting: start-policy-clock schedule-retry",
    "session-lost: starting -> stopping: stop-device notify",
    "session-lost: live resuming -> waiting: start-policy-clock schedule-retry",
    "session-lost: stopping -> same: open-session",
    "caught-up: resuming -> live: notify",
    "wrong-disk: starting -> stopping: stop-device notify",
    "wrong-disk: live resuming -> needs-attention: start-policy-clock notify",
    "wrong-disk: waiting failed needs-attention -> needs-attention: notify",
    "data-missing: starting -> stopping: stop-device notify",
    "data-missing: live resuming -> needs-attention: start-policy-clock notify",
    "data-missing: waiting failed needs-attention -> needs-attention: notify",
    "incompatible: starting -> stopping: stop-device notify",
    "incompatible: live resuming -> needs-attention: start-policy-clock notify",
    "incompatible: waiting failed needs-attention -> needs-attention: notify",
    // Servers.
    "daemon-died: starting -> stopping: stop-device notify",
    "daemon-died: live resuming -> crashed: start-policy-clock schedule-restart",
    "daemon-died: waiting recovering -> crashed: schedule-restart",
    "daemon-died: failed -> same: schedule-restart",
    "daemon-died: stopping -> same: stop-device",
    "daemon-serving: recovering -> resuming: open-session",
    "daemon-serving: stopping -> same: stop-device",
    "daemon-keeps-dying: live resuming -> needs-attention: start-policy-clock notify",
    "daemon-keeps-dying: waiting recovering -> needs-attention: notify",
    "daemon-keeps-dying: failed -> needs-attention: fail-io notify",
    "kernel-refused: starting -> stopping: stop-device notify",
    "kernel-refused: crashed -> needs-attention: notify",
    "kernel-refused: resuming -> needs-attention: start-policy-clock kill-daemon notify",
    "kernel-refused: waiting recovering failed needs-attention -> needs-attention: "
    "kill-daemon notify",
    "kernel-refused: stopping -> same: stop-device",
    // Time.
    "restart-due: crashed -> recovering: start-daemon",
    "restart-due: failed -> same: start-daemon",
    "retry-due: waiting -> resuming: open-session",
    "recovery-overdue: recovering waiting resuming -> same: kill-daemon notify",
    "recovery-overdue: failed -> same: kill-daemon",
    "policy-expired: waiting resuming recovering -> failed: fail-io notify",
    "policy-expired: crashed -> failed: fail-io start-daemon notify",
    "policy-expired: needs-attention -> same: fail-io notify",
    "stop-overdue: stopping -> same: kill-daemon stop-device notify",
    // The user.
    "user-recover: live -> resuming: start-policy-clock open-session",
    "user-recover: waiting -> resuming: reset-port open-session",
    "user-recover: resuming -> same: start-policy-clock reset-port open-session",
    "user-recover: crashed -> recovering: start-daemon",
    "user-recover: failed -> resuming: start-policy-clock resume-io reset-port open-session",
    "user-recover: needs-attention -> resuming: start-policy-clock resume-io open-session",
    "user-restart: live resuming -> recovering: start-policy-clock kill-daemon start-daemon",
    "user-restart: waiting recovering -> recovering: kill-daemon start-daemon",
    "user-restart: crashed -> recovering: start-daemon",
    "user-restart: failed needs-attention -> recovering: "
    "start-policy-clock resume-io kill-daemon start-daemon",
    "user-accept-loss: needs-attention -> same: accept-loss",
    "user-stop: starting live failed -> stopping: stop-device",
    "user-stop: waiting resuming crashed recovering needs-attention -> stopping: "
    "stop-policy-clock stop-device",
    "user-force-stop: starting live failed -> stopping: accept-loss fail-io stop-device",
    "user-force-stop: waiting resuming crashed recovering needs-attention -> stopping: "
    "stop-policy-clock accept-loss fail-io stop-device",
    "user-force-stop: stopping -> same: accept-loss kill-daemon stop-device",
    // The end.
    "stop-failed: stopping -> same: fail-io",
    "stopped: stopping -> gone: notify",
};

// "event: states" in which it may come and changes nothing. Every cell in neither list must be
// marked impossible.
inline constexpr const char* kIgnored[] = {
    "started: stopping",
    "start-failed: stopping",
    "peer-back: starting live resuming crashed recovering failed needs-attention gone",
    "link-lost: waiting crashed recovering failed needs-attention stopping gone",
    "session-open: starting stopping gone",
    "session-failed: waiting failed stopping gone",
    "session-lost: waiting failed needs-attention gone",
    "caught-up: starting waiting stopping gone",
    "wrong-disk: stopping gone",
    "data-missing: stopping gone",
    "incompatible: stopping gone",
    "daemon-died: needs-attention gone",
    "daemon-serving: starting waiting resuming failed needs-attention gone",
    "kernel-refused: gone",
    "user-recover: starting recovering stopping gone",
    "user-restart: starting stopping gone",
    "user-accept-loss: starting live waiting resuming crashed recovering failed stopping gone",
    "user-stop: stopping gone",
    "user-force-stop: gone",
};

}  // namespace belay::lifecycle::test
