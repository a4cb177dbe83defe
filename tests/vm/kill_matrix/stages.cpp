#include "tests/vm/kill_matrix/stages.h"

namespace kill_matrix {

using enum End;
using enum Who;

const std::vector<Stage> kStart = {
    {Initiator, Supervisor, "creation-begun"}, {Initiator, Control, "before-add-dev"},
    {Initiator, Control, "after-add-dev"},     {Initiator, Control, "after-set-params"},
    {Initiator, Supervisor, "creation-done"},  {Initiator, Worker, "before-start-dev"},
    {Initiator, Worker, "start-dev-sent"},     {Initiator, Worker, "after-start-dev"},
};

const std::vector<Stage> kTakeOver = {
    {Initiator, Worker, "before-start-recovery"},
    {Initiator, Worker, "after-start-recovery"},
    {Initiator, Worker, "before-end-recovery"},
    {Initiator, Worker, "end-recovery-sent",
     "Linux 6.12 may crash (1 of 50 times) when the server dies while END_USER_RECOVERY runs"},
    {Initiator, Worker, "after-end-recovery"},
};

// "replaying:4": the fourth request that is sent again, and half of what was held is not yet.
const std::vector<Stage> kSession = {
    {Initiator, Worker, "before-hello"},  {Target, Worker, "before-hello"},
    {Initiator, Worker, "after-hello"},   {Target, Worker, "after-hello"},
    {Initiator, Worker, "after-exports"}, {Target, Worker, "after-exports"},
    {Initiator, Worker, "before-replay"}, {Target, Worker, "before-replay"},
    {Initiator, Worker, "replaying:4"},   {Target, Worker, "replaying:4"},
};

const std::vector<Stage> kReboot = {
    {Initiator, Worker, "before-replay"},
    {Target, Worker, "before-replay"},
    {Initiator, Worker, "replaying:4"},
    {Target, Worker, "replaying:4"},
};

const std::vector<Stage> kStore = {
    {Target, Worker, "write-submitted:20"},
    {Target, Worker, "write-done:20"},
    {Target, Worker, "answered:20"},
};

const std::vector<Stage> kStop = {
    {Initiator, Supervisor, "removal-begun"}, {Initiator, Control, "before-stop-dev"},
    {Initiator, Control, "after-stop-dev"},   {Initiator, Supervisor, "removal-stopped"},
    {Initiator, Control, "before-del-dev"},   {Initiator, Control, "after-del-dev"},
    {Initiator, Supervisor, "removal-done"},
};

const char* nameOf(Who who) {
    switch (who) {
        case Worker:
            return "worker";
        case Supervisor:
            return "supervisor";
        case Control:
            break;
    }
    return "control process";
}

}  // namespace kill_matrix
