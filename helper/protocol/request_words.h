#pragma once

#include "core/wire/message.h"

namespace belay::helper {

// What kind of request it is, in the words of status and of the bus.
inline const char* opText(wire::Op op) {
    switch (op) {
        case wire::Op::Read:
            return "read";
        case wire::Op::Write:
            return "write";
        case wire::Op::Flush:
            return "flush";
        case wire::Op::Discard:
            return "discard";
        case wire::Op::WriteZeroes:
            break;
    }
    return "write-zeroes";
}

}  // namespace belay::helper
