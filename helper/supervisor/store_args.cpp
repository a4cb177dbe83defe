#include "helper/supervisor/store_args.h"

#include "helper/supervisor/words.h"

#include <fmt/format.h>

namespace belay::helper {

bool takeStoreOption(Arguments& arguments, std::vector<StoreArg>& stores, std::string& error) {
    if (stores.empty())
        return false;
    StoreArg& store = stores.back();
    if (arguments.flag("--read-only")) {
        store.readOnly = true;
        return true;
    }
    if (const auto label = arguments.value("--label")) {
        store.label = *label;
        return true;
    }
    const auto size = arguments.value("--block-size");
    if (!size)
        return false;
    if (const auto bytes = blockSizeFrom(*size))
        store.blockSize = *bytes;
    else
        error = fmt::format("--block-size wants {}", kOfferedBlockSizes);
    return true;
}

}  // namespace belay::helper
