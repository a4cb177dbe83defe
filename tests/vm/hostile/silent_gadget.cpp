// silent_gadget SERIAL: a high-speed gadget with both our interfaces that is found and configured,
// and says nothing any more from the first SET_INTERFACE on: its processor hangs, and its
// controller answers NAK to everything. No driver of a gadget can play that here, so it is played
// below the host's USB stack: vhci_hcd has the other end of a socket
// (Documentation/usb/usbip_protocol.rst). Says "silent" then, and "asked for its descriptor N
// times" for each time after that: what a reset of its port does.
#include "core/base/bytes.h"
#include "core/base/fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace belay;

namespace {

constexpr const char* kAttach = "/sys/devices/platform/vhci_hcd.0/attach";
constexpr int kHighSpeed = 3;  // enum usb_device_speed, linux/usb/ch9.h

// usbip_header: all big-endian, 48 bytes.
constexpr std::size_t kHeaderBytes = 48;
constexpr std::size_t kSequenceAt = 4;
constexpr std::size_t kDirectionAt = 12;
constexpr std::size_t kEndpointAt = 16;
constexpr std::size_t kStatusAt = 20;  // of an answer
constexpr std::size_t kLengthAt = 24;  // asked for, and moved
constexpr std::size_t kSetupAt = 40;
constexpr std::uint32_t kCmdSubmit = 1;
constexpr std::uint32_t kCmdUnlink = 2;
constexpr std::uint32_t kRetSubmit = 3;
constexpr std::uint32_t kRetUnlink = 4;

constexpr std::uint8_t kGetDescriptor = 6;
constexpr std::uint8_t kSetInterface = 11;

using Bytes = std::vector<std::uint8_t>;

const Bytes kDevice = {18, 1, 0, 2, 0, 0, 0, 64, 0x6b, 0x1d, 4, 1, 0, 1, 1, 2, 3, 1};
const Bytes kConfiguration = {9, 2, 83,   0, 2,  1,    0,    0x80, 50,  //
                              9, 4, 0,    0, 4,  0xff, 0x53, 0x4d, 0,   // lend
                              7, 5, 0x81, 3, 64, 0,    1,               //
                              7, 5, 0x01, 3, 64, 0,    1,               //
                              7, 5, 0x82, 2, 0,  2,    0,               //
                              7, 5, 0x02, 2, 0,  2,    0,               //
                              9, 4, 1,    0, 4,  0xff, 0x53, 0x4e, 0,   // attach
                              7, 5, 0x83, 2, 0,  2,    0,               //
                              7, 5, 0x03, 2, 0,  2,    0,               //
                              7, 5, 0x84, 2, 0,  2,    0,               //
                              7, 5, 0x04, 2, 0,  2,    0};

Bytes stringDescriptor(std::uint8_t index, const std::string& serial) {
    if (index == 0)
        return {4, 3, 9, 4};
    // By the device descriptor: 1 the manufacturer, 2 the product.
    const std::string text = index == 1 ? "Belay tests" : index == 2 ? "Silent gadget" : serial;
    Bytes bytes = {static_cast<std::uint8_t>(2 + 2 * text.size()), 3};
    for (const char letter : text)
        bytes.insert(bytes.end(), {static_cast<std::uint8_t>(letter), 0});
    return bytes;
}

void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

class Device {
 public:
    Device(Fd socket, std::string serial)
        : socket_(std::move(socket)), serial_(std::move(serial)) {}

    void run() {
        std::array<std::uint8_t, kHeaderBytes> header{};
        while (read(header.data(), header.size())) {
            if (word(header, 0) == kCmdUnlink)
                unlink(header);
            else if (word(header, 0) == kCmdSubmit)
                submit(header);
        }
    }

 private:
    using Header = std::array<std::uint8_t, kHeaderBytes>;

    static std::uint32_t word(const Header& header, std::size_t at) {
        return std::uint32_t{header[at]} << 24 | std::uint32_t{header[at + 1]} << 16 |
               std::uint32_t{header[at + 2]} << 8 | header[at + 3];
    }
    static void put(Header& header, std::size_t at, std::uint32_t value) {
        for (std::size_t i = 0; i < 4; ++i)
            header[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }

    void submit(const Header& command) {
        const bool in = word(command, kDirectionAt) == 1;
        const std::uint32_t length = word(command, kLengthAt);
        Bytes sent(in ? 0 : length);
        if (!sent.empty() && !read(sent.data(), sent.size()))
            return;
        if (word(command, kEndpointAt) != 0)
            return;
        const std::uint8_t request = command[kSetupAt + 1];
        if (!silent_ && request == kSetInterface) {
            silent_ = true;
            say("silent");
        } else if (silent_ && request == kGetDescriptor && command[kSetupAt + 3] == 1) {
            say("asked for its descriptor " + std::to_string(++askedFor_) + " times");
        }
        if (silent_)
            return;
        Bytes reply = in ? replyTo(command) : Bytes();
        reply.resize(std::min<std::size_t>(reply.size(), length));
        const bool stalls = in && reply.empty() && length > 0;
        answer(command, kRetSubmit, stalls ? -EPIPE : 0, in ? reply : sent, in);
    }

    Bytes replyTo(const Header& command) const {
        if (command[kSetupAt + 1] != kGetDescriptor)
            return {0, 0};  // GET_STATUS
        switch (command[kSetupAt + 3]) {
            case 1:
                return kDevice;
            case 2:
                return kConfiguration;
            case 3:
                return stringDescriptor(command[kSetupAt + 2], serial_);
            default:
                return {};
        }
    }

    // A transfer that was not answered ends as its host wants it to.
    void unlink(const Header& command) { answer(command, kRetUnlink, -ECONNRESET, {}, false); }

    void answer(const Header& command, std::uint32_t type, int status, const Bytes& data,
                bool withData) {
        Header header{};
        put(header, 0, type);
        put(header, kSequenceAt, word(command, kSequenceAt));
        put(header, kStatusAt, static_cast<std::uint32_t>(status));
        if (type == kRetSubmit)
            put(header, kLengthAt, static_cast<std::uint32_t>(data.size()));
        write(header.data(), header.size());
        if (withData && !data.empty())
            write(data.data(), data.size());
    }

    bool read(std::uint8_t* to, std::size_t length) {
        return ::recv(socket_.get(), to, length, MSG_WAITALL) == static_cast<ssize_t>(length);
    }
    void write(const std::uint8_t* from, std::size_t length) {
        if (::send(socket_.get(), from, length, MSG_NOSIGNAL) != static_cast<ssize_t>(length))
            std::exit(EXIT_FAILURE);
    }

    Fd socket_;
    const std::string serial_;
    bool silent_ = false;
    unsigned askedFor_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2)
        return EXIT_FAILURE;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return EXIT_FAILURE;
    Fd ours(ends[0]);
    {
        const Fd theirs(ends[1]);
        const Fd attach(::open(kAttach, O_WRONLY | O_CLOEXEC));
        // Port, socket, device id, speed.
        const std::string line =
            "0 " + std::to_string(theirs.get()) + " 65538 " + std::to_string(kHighSpeed);
        if (!attach || ::write(attach.get(), line.data(), line.size()) < 0) {
            std::perror("attach to vhci_hcd");
            return EXIT_FAILURE;
        }
    }
    Device(std::move(ours), argv[1]).run();
    return EXIT_SUCCESS;
}
