#pragma once

#include <QObject>

namespace scenario {

// True within a bus of this program's own, which has the real polkitd and starts belayd when that
// is called.
bool onPrivateBus();
// Starts this program again within such a bus, unless it is there already.
void moveToPrivateBus(int argc, char** argv);

// main() of a program of scenarios. "bus" as its first argument: on a private bus, with belayd on
// the host. "brief" as the next: what follows is all that is played in the short form, and the long
// form plays everything.
int runScenarios(int argc, char** argv, QObject& test);

}  // namespace scenario
