#pragma once

#include "core/base/fd.h"
#include "core/base/ring.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belay::usb {

// Reads small text files of sysfs through the ring, so that only the kernel waits for the locks
// some of them take (drivers/usb/core/sysfs.c: usb_string_attr).
class TextReader {
 public:
    using Callback = std::function<void(std::vector<std::string>)>;

    // Calls back from the ring with one printable() text per path, empty for what cannot be read.
    // When it is destroyed first, nobody is called.
    TextReader(Ring& ring, std::vector<std::string> paths, Callback callback);
    ~TextReader();
    TextReader(const TextReader&) = delete;
    TextReader& operator=(const TextReader&) = delete;

 private:
    struct Reading;
    Reading* reading_;
};

}  // namespace belay::usb
