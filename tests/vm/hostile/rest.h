#pragma once

#include "tests/vm/hostile/bench.h"

namespace hostile {

// After an abuse the daemon must come to rest: watched for a second, it must not use more than a
// part of a processor, however often its peer lets it begin anew.
void needRest(Daemon& daemon, const char* script);

}  // namespace hostile
