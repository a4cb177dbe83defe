// smoo_host FILE [large-blocks | wrong-op N | gap MS N | reconfigure N | die-before-payload N |
// die-in-payload N]: a host as smoo's, lending FILE, in blocks of 512 bytes or of 4096.
//
// Finds the interface, claims it without any reset, IDENT, CONFIG_EXPORTS, STATUS, then STATUS
// every second and an answer to each request. A session id that changes, or a pipe that fails,
// makes it begin anew from IDENT. After N requests it does once what was asked for:
//   wrong-op     answers with another op than asked for, which faults the gadget's data plane
//   gap          is silent for so long, on ep0 too, and then goes on as if nothing had been
//   reconfigure  sends CONFIG_EXPORTS and STATUS again when a read has come, and then answers that
//                read, as a thread would that had not heard of the new session
//   die-...      answers a read, and is killed before its payload, or with half of it sent
#include "core/base/fd.h"
#include "tests/vm/hostile/smoo_wire.h"
#include "tests/vm/hostile/usb_peer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

using namespace smoo;
using hostile::UsbPeer;

namespace {

constexpr std::uint32_t kExport = 0x1234;
constexpr unsigned kWindow = 200;  // ms in which a payload must move once it has begun

void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

void sleepMs(int ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

class Host {
 public:
    Host(const char* file, std::string trick, int ms, int after)
        : file_(::open(file, O_RDWR | O_CLOEXEC)),
          trick_(std::move(trick)),
          block_(trick_ == "large-blocks" ? 4096 : 512),
          ms_(ms),
          after_(after) {
        struct stat info {};
        ::fstat(file_.get(), &info);
        size_ = static_cast<std::uint64_t>(info.st_size);
    }

    [[noreturn]] void run() {
        for (;;) {
            usb_ = UsbPeer::find(0x4d, 60'000);
            if (usb_ && openSession()) {
                lost_ = false;
                std::thread heart([this] { beat(); });
                serve();
                heart.join();
            }
            usb_.reset();
            sleepMs(pause_);
        }
    }

 private:
    bool configure() {
        Bytes config = bytesOf(Config{.count = 1});
        const Bytes entry = bytesOf(Export{.id = kExport, .blockSize = block_, .size = size_});
        config.insert(config.end(), entry.begin(), entry.end());
        return usb_->out(kVendorOut, kConfigExports, config);
    }

    bool status(Status& status) {
        const auto reply = usb_->in(kClassIn, kStatus, sizeof(Status));
        if (!reply || reply->size() != sizeof(Status))
            return false;
        status = from<Status>(*reply);
        return status.version == 0;
    }

    bool openSession() {
        const auto ident = usb_->in(kVendorIn, kIdent, sizeof(Ident));
        if (!ident || ident->size() != sizeof(Ident) ||
            std::memcmp(ident->data(), "SMOO", 4) != 0 || !configure())
            return false;
        Status first;
        for (int i = 0; i < 5; ++i)
            if (status(first)) {
                session_ = first.session;
                say("session " + std::to_string(session_));
                return true;
            }
        return false;
    }

    void beat() {
        int misses = 0;
        while (!lost_) {
            for (int i = 0; i < 100 && !lost_; ++i)
                sleepMs(10);
            const std::lock_guard quiet(silence_);
            if (lost_)
                return;
            Status now;
            if (status(now)) {
                misses = 0;
                if (now.session != session_) {
                    say("session changed");
                    pause_ = 0;
                    lost_ = true;
                }
            } else if (++misses == 5) {
                lose("no STATUS");
            }
        }
    }

    void lose(const std::string& why) {
        if (!lost_.exchange(true)) {
            say("lost: " + why);
            pause_ = 1000;
        }
    }

    void serve() {
        while (!lost_) {
            const auto transfer = usb_->read(UsbPeer::MessageIn, sizeof(Message), kWindow);
            if (!transfer) {
                lose("interrupt IN: " + std::to_string(usb_->error()));
            } else if (transfer->size() == sizeof(Message)) {
                handle(from<Message>(*transfer));
            }
        }
    }

    void handle(Message message) {
        const bool itsTime = trick_ == "wrong-op" || trick_ == "gap" || message.op == kRead;
        if (++requests_ >= after_ && after_ > 0 && itsTime) {
            after_ = 0;
            doTrick(message);
        }
        const std::uint64_t offset = message.lba * block_;
        const std::size_t length = std::size_t{message.blocks} * block_;
        Bytes payload(length);
        const bool fits = offset <= size_ && length <= size_ - offset;
        switch (message.op) {
            case kWrite:
                if (!receive(payload))
                    return;
                message.status =
                    !fits ? 22
                    : ::pwrite(file_.get(), payload.data(), length, static_cast<off_t>(offset)) ==
                            static_cast<ssize_t>(length)
                        ? 0
                        : 5;
                break;
            case kRead:
                message.status =
                    !fits ? 22
                    : ::pread(file_.get(), payload.data(), length, static_cast<off_t>(offset)) ==
                            static_cast<ssize_t>(length)
                        ? 0
                        : 5;
                break;
            case kFlush:
                message.status = ::fdatasync(file_.get()) == 0 ? 0 : 5;
                break;
            case kDiscard:
                break;
            default:
                lose("unknown op");
                return;
        }
        if (message.op == kRead || message.op == kWrite)
            bytes_ += length;
        const std::uint8_t status = message.status;
        const bool sent = send(message);
        if (sent && message.op == kRead && status == 0 && length > 0) {
            if (dies_)
                die(std::move(payload));
            sendPayload(payload);
        }
    }

    bool send(const Message& message) {
        while (!lost_) {
            const auto moved = usb_->write(UsbPeer::MessageOut, bytesOf(message), kWindow);
            if (!moved)
                lose("interrupt OUT");
            else if (*moved == sizeof(Message))
                return true;
            else if (*moved != 0)
                lose("interrupt OUT in part");
        }
        return false;
    }

    // As long as nothing has moved it is tried again; what moves in part is the session's end.
    bool receive(Bytes& payload) {
        while (!lost_) {
            auto got = usb_->read(UsbPeer::PayloadIn, payload.size(), kWindow * 10);
            if (!got)
                lose("bulk IN");
            else if (got->size() == payload.size()) {
                payload = std::move(*got);
                return true;
            } else if (!got->empty())
                lose("bulk IN in part: " + std::to_string(got->size()) + " of " +
                     std::to_string(payload.size()));
        }
        return false;
    }

    void sendPayload(const Bytes& payload) {
        while (!lost_) {
            const auto moved = usb_->write(UsbPeer::PayloadOut, payload, kWindow * 10);
            if (!moved)
                lose("bulk OUT");
            else if (*moved == payload.size())
                return;
            else if (*moved != 0)
                lose("bulk OUT in part");
        }
    }

    [[noreturn]] void die(Bytes payload) {
        payload.resize(trick_ == "die-in-payload" ? payload.size() / 2 : 0);
        if (!payload.empty())
            sendPayload(payload);
        ::raise(SIGKILL);
        std::abort();
    }

    void doTrick(const Message& message) {
        say("trick: " + trick_);
        if (trick_ == "wrong-op") {
            Message wrong = message;
            wrong.op = message.op == kFlush ? kRead : kFlush;
            wrong.blocks = 0;
            send(wrong);
        } else if (trick_ == "gap") {
            const std::lock_guard quiet(silence_);
            sleepMs(ms_);
        } else if (trick_ == "reconfigure") {
            Status now;
            if (!configure() || !status(now))
                lose("reconfigure");
            session_ = now.session;
            // Until the gadget has begun to listen for the new session's answers.
            sleepMs(100);
        } else {
            dies_ = true;
        }
    }

    belay::Fd file_;
    std::uint64_t size_ = 0;
    const std::string trick_;
    const std::uint32_t block_;
    const int ms_;
    int after_;
    int requests_ = 0;
    std::uint64_t bytes_ = 0;
    std::unique_ptr<UsbPeer> usb_;
    std::uint64_t session_ = 0;
    std::mutex silence_;
    std::atomic<bool> lost_{false};
    int pause_ = 0;
    bool dies_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc < 2)
        return 2;
    const std::string trick = argc > 2 ? argv[2] : "";
    const int ms = trick == "gap" ? std::atoi(argv[3]) : 0;
    const int after = argc > 3 ? std::atoi(argv[argc - 1]) : 0;
    Host(argv[1], trick, ms, after).run();
}
