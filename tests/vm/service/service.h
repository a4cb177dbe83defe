#pragma once

#include "tests/vm/hostile/bench.h"
#include "tests/vm/scenario/bus_client.h"
#include "tests/vm/scenario/cable.h"
#include "tests/vm/scenario/private_bus.h"

#include <QObject>
#include <QString>
#include <memory>

// belayd with real gadgets, driven by busctl as a user without privileges whom polkit allows.
namespace service {

using namespace hostile;

using scenario::kDevice;
using scenario::kGadget;

// Whom test.rules lets do everything; whom it lets do nothing.
extern const BusClient user;
extern const BusClient nobody;
extern const BusClient root;

// The one that runs now; 0 if there is none.
pid_t belayd();

// Kills the one that runs, if one does. Whoever asks afterwards starts the next one: the bus has
// seen that this one is gone.
void killBelayd();

// Starts it with NAME=VALUE lines in its environment, and in that of all that it starts, in the
// place of the one that runs. One that the bus starts has none of them.
std::unique_ptr<Program> startBelayd(Bench& bench, const QStringList& settings);

// A gadget with one share that is also ready to borrow, seen by belayd.
struct Plugged {
    // `settings`: NAME=VALUE lines for the gadget's environment.
    explicit Plugged(Bench& bench, int mib = 16, const QStringList& settings = {});

    // Makes a device of the share; its path.
    QString attach();
    // Writes and verifies random blocks, without the page cache.
    std::unique_ptr<Program> fio(const QString& node, int mib = 16);
    // Stops all devices in order, and the gadget. Nothing may be left.
    void end();

    Bench& bench_;
    Disk disk;
    std::unique_ptr<Daemon> gadget;
    QString path;
    Cable cable;
};

// main() of such a test.
int runOnPrivateBus(int argc, char** argv, QObject& test);

}  // namespace service
