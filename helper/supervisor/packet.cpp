#include "helper/supervisor/packet.h"

#include "core/base/bytes.h"
#include "core/base/shared_memory.h"
#include "core/base/write_all.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <span>
#include <string_view>

namespace belay::helper {
namespace {

// Says how long the message is that the first descriptor has.
constexpr const char* kLong = "inMemory";

constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(int) * (Packet::kMostFds + 1));

Error tooLong() {
    return errorFrom(EMSGSIZE, "send a message between processes of Belay").value();
}

// The descriptors that came with a message, whatever it says.
std::vector<Fd> takeFds(msghdr& header) {
    std::vector<Fd> fds;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
         part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            fds.emplace_back(fd);
        }
    }
    return fds;
}

Result<Json> parse(std::string_view text) {
    auto message = parseJson(text);
    if (!message || !message->is_object())
        return failure("message of the other process does not parse");
    return std::move(*message);
}

// The message that the first descriptor has, which is taken out of the list.
Result<Json> readMemory(std::vector<Fd>& fds, const Json& bytes) {
    if (fds.empty() || !bytes.is_number_unsigned() || bytes > Packet::kMostBytes ||
        ::fcntl(fds.front().get(), F_GET_SEALS) < 0)
        return failure("message of the other process is not in memory, or too long");
    const Fd memory = std::move(fds.front());
    fds.erase(fds.begin());
    std::string text(bytes.get<std::size_t>(), '\0');
    if (::pread(memory.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        return failure("message of the other process is cut short");
    return parse(text);
}

}  // namespace

Result<Packet::Outgoing> Packet::pack(const Json& message, const std::vector<int>& fds) {
    Outgoing packet;
    packet.text = message.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (packet.text.size() > kMostBytes || fds.size() > kMostFds)
        return tl::make_unexpected(tooLong());
    if (packet.text.size() > kMostInPacket) {
        auto memory = memoryFile("belay-message");
        if (!memory)
            return tl::make_unexpected(memory.error());
        const auto bytes = std::as_bytes(std::span(packet.text));
        if (auto written = writeAll(memory->get(), bytes, "write a message to memory"); !written)
            return tl::make_unexpected(written.error());
        packet.fds.push_back(std::move(*memory));
        packet.text = Json{{kLong, packet.text.size()}}.dump();
    }
    for (const int fd : fds) {
        packet.fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        if (!packet.fds.back())
            return systemError("pass a descriptor on");
    }
    return packet;
}

Result<void> Packet::send(const Fd& socket, const Outgoing& packet) {
    iovec part{const_cast<char*>(packet.text.data()), packet.text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, kControlBytes> control{};
    if (!packet.fds.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(sizeof(int) * packet.fds.size());
        cmsghdr* first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(sizeof(int) * packet.fds.size());
        for (std::size_t i = 0; i < packet.fds.size(); ++i) {
            const int fd = packet.fds[i].get();
            std::memcpy(CMSG_DATA(first) + i * sizeof(int), &fd, sizeof fd);
        }
    }
    if (::sendmsg(socket.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return systemError("send to the other process");
    return {};
}

Result<std::optional<Packet>> Packet::receive(const Fd& socket) {
    std::array<char, kMostInPacket> room;
    iovec part{room.data(), room.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, kControlBytes> control{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(socket.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return std::nullopt;
    if (length < 0)
        return systemError("receive from the other process");
    Packet packet;
    packet.fds = takeFds(header);
    if (length == 0)
        return errorFrom(ECONNRESET, "the other process is gone");
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return failure("message of the other process is too long");
    auto message = parse(std::string_view(room.data(), static_cast<std::size_t>(length)));
    if (message && message->contains(kLong))
        message = readMemory(packet.fds, message->at(kLong));
    if (!message)
        return tl::make_unexpected(message.error());
    packet.message = std::move(*message);
    return packet;
}

}  // namespace belay::helper
