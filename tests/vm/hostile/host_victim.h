#pragma once

#include "tests/vm/hostile/bench.h"

#include <vector>

namespace hostile {

// What a script of the hostile gadget must make belay-hostd say; empty: nothing in particular.
struct Case {
    const char* script;
    const char* says = "";
    // The script goes on and on: the host must come to rest all the same.
    bool endless = false;
};

// One host, which attaches all there is and lends one disk, with `more` options, against each
// script in turn. It must live on, leave its own store alone, and serve an honest gadget after
// them all (in the long form after each).
void playAll(const std::vector<Case>& cases, const QStringList& more = {});
// The same with somebody who reads from the device that is made of what the script offers.
void playUnderReader(const std::vector<Case>& cases, const QStringList& more = {});

}  // namespace hostile
