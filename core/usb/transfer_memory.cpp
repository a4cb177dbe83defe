#include "core/usb/transfer_memory.h"

#include <utility>
#include <vector>

namespace belay::usb {
namespace {

struct Chunks {
    std::shared_ptr<Handle> handle;
    std::vector<std::byte*> memory;

    explicit Chunks(std::shared_ptr<Handle> h) : handle(std::move(h)) {}
    Chunks(const Chunks&) = delete;
    Chunks& operator=(const Chunks&) = delete;
    ~Chunks() {
        while (!memory.empty())
            removeOne();
    }

    bool addOne() {
        unsigned char* chunk = libusb_dev_mem_alloc(handle->get(), Arena::kChunkBytes);
        if (chunk != nullptr)
            memory.push_back(reinterpret_cast<std::byte*>(chunk));
        return chunk != nullptr;
    }
    void removeOne() {
        libusb_dev_mem_free(handle->get(), reinterpret_cast<unsigned char*>(memory.back()),
                            Arena::kChunkBytes);
        memory.pop_back();
    }
};

}  // namespace

std::shared_ptr<Arena> transferMemory(std::shared_ptr<Handle> handle, std::size_t bytes) {
    auto chunks = std::make_shared<Chunks>(std::move(handle));
    while (chunks->memory.size() < bytes / Arena::kChunkBytes) {
        if (chunks->addOne())
            continue;
        if (!chunks->memory.empty())
            chunks->removeOne();
        break;
    }
    if (chunks->memory.empty())
        return nullptr;
    std::vector<std::byte*> memory = chunks->memory;
    return Arena::over(std::move(memory), std::move(chunks));
}

}  // namespace belay::usb
