#pragma once

#include "helper/supervisor/arguments.h"

#include <cstdint>
#include <string>
#include <vector>

namespace belay::helper {

// A file or block device to be offered, as the command line names it.
struct StoreArg {
    std::string path;
    std::string label;  // empty: the file's name
    bool readOnly = false;
    std::uint32_t blockSize = 0;  // 0: as store::BlockSizeReason has it
};

// Takes an option about the last of `stores`: --label, --read-only or --block-size. False if the
// next word is none, or there is no store yet; `error` gets what is wrong with its value.
bool takeStoreOption(Arguments& arguments, std::vector<StoreArg>& stores, std::string& error);

}  // namespace belay::helper
