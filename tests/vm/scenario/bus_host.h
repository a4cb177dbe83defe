#pragma once

#include "tests/vm/scenario/bus_client.h"
#include "tests/vm/scenario/daemon.h"

#include <map>

namespace scenario {

// belayd in the place of belay-hostd, for one gadget: the same words, done with busctl by a user
// without privileges whom polkit allows.
//
// - belayd is everybody's: it is never ended, only its devices are; it starts when it is called.
class BusHost final : public Daemon {
 public:
    // `serial`: the gadget's.
    BusHost(const QString& serial, const QString& log);
    ~BusHost() override;

    // Knows "--attach LABEL" and "--lend FILE --label L". A script goes on asking until belayd has
    // done it: the gadget need not be there yet.
    void start(const QStringList& options) override;
    // Calls it.
    void startAgain() override;
    // Stops its devices.
    void end(Milliseconds limit = 10s) override;
    void endWhenReady() override { end(); }
    void forceEnd() override;
    // belayd runs; of one that does not, nothing is asked, for that would start it.
    bool running() const override { return supervisor() > 0; }
    void awaitPeerGone() const override;

    void killOnlySupervisor() override;
    void killSupervisor() override;
    pid_t worker() override;
    pid_t supervisor() const override;
    bool workerDiesWithSupervisor() const override { return false; }

    // "devices" alone, with label, state, node and worker.
    std::optional<nlohmann::json> status() const override;
    std::optional<nlohmann::json> device(const QString& label) const override;
    // "stop" with a disk's label, and "--force". `ms`: from the permission to the device's end, as
    // belayd tells it: busctl and polkit, started on a processor that a load has to itself, take
    // longer than what they ask for.
    Outcome command(const QStringList& words, Milliseconds limit = kPatience) const override;
    QByteArray output() const override { return script_.output(); }

 private:
    // Paths by labels of this gadget's devices.
    std::map<QString, QString> devices() const;
    // What it tells of one; nothing if it is not there.
    static std::optional<nlohmann::json> look(const QString& path);
    static qint64 msFromStopToEnd(const QString& path);

    QString gadget_;  // its object
    // Of all that have been seen: a path stays what it is.
    mutable std::map<QString, QString> paths_;
    pid_t worker_ = 0;  // the last that was seen
    Program script_;
};

}  // namespace scenario
