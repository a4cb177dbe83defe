#include "core/usb/text_reader.h"

#include "core/usb/sysfs.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace belay::usb {

// Outlives its TextReader until the kernel has let go of the buffer.
struct TextReader::Reading final : Operation {
    Ring& ring;
    std::vector<std::string> paths;
    Callback callback;
    std::vector<std::string> texts;
    Fd fd;
    std::array<std::byte, 512> buffer{};
    TextReader* owner;

    Reading(Ring& r, std::vector<std::string> p, Callback c, TextReader* o)
        : ring(r), paths(std::move(p)), callback(std::move(c)), owner(o) {}

    void next() {
        const char* path = paths[texts.size()].c_str();
        fd = Fd(::open(path, O_RDONLY | O_CLOEXEC));
        // Without a descriptor this is refused (EBADF) by the same way as other failures.
        io_uring_prep_read(ring.prepare(this), fd.get(), buffer.data(), buffer.size(), 0);
    }

    void complete(int result, std::uint32_t) override {
        if (owner == nullptr) {
            delete this;
            return;
        }
        const auto length = static_cast<std::size_t>(std::max(result, 0));
        texts.push_back(printable(ConstByteSpan(buffer).first(length)));
        if (texts.size() < paths.size()) {
            next();
            return;
        }
        // From here on nothing is under way: the owner may go, and must not free this twice.
        std::exchange(owner, nullptr)->reading_ = nullptr;
        const std::unique_ptr<Reading> self(this);
        callback(std::move(texts));
    }
};

TextReader::TextReader(Ring& ring, std::vector<std::string> paths, Callback callback)
    : reading_(new Reading(ring, std::move(paths), std::move(callback), this)) {
    reading_->next();
}

TextReader::~TextReader() {
    if (reading_ != nullptr)
        reading_->owner = nullptr;
}

}  // namespace belay::usb
