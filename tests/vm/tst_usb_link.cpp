#include "tests/vm/usb/gadget_peer.h"
#include "tests/vm/usb/host_end.h"

#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <QElapsedTimer>
#include <QTest>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

using namespace belay;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kKiB = 1024;
constexpr std::uint32_t kMiB = 1024 * kKiB;

// The link's speed and its bulk packets, by the variable BELAY_USB_SPEED.
struct Speed {
    const char* name;
    const char* driverOptions;
    unsigned mbps;
    int packetBytes;
};
constexpr std::array kSpeeds = {
    Speed{"high", "", 480, 512},
    Speed{"super", "is_super_speed=1", 5000, 1024},
    Speed{"full", "is_high_speed=0", 12, 64},
};

const Speed& speed() {
    const QString wanted = qEnvironmentVariable("BELAY_USB_SPEED", "high");
    const auto* found =
        std::ranges::find_if(kSpeeds, [&](const Speed& one) { return wanted == one.name; });
    return found == kSpeeds.end() ? kSpeeds[0] : *found;
}

usb::Role roleOf(const QString& name) {
    return name == "lend" ? usb::Role::Lend : usb::Role::Attach;
}

// 'const char*' for QVERIFY2 of a function that says "" when all is well.
#define MUST(call)                                  \
    do {                                            \
        const std::string problem = call;           \
        QVERIFY2(problem.empty(), problem.c_str()); \
    } while (false)

}  // namespace

// usb against ffs over dummy_hcd. Needs root and a kernel to itself.
class TestUsbLink : public QObject {
    Q_OBJECT
 private slots:
    void initTestCase();
    void init();
    void cleanup();
    void cleanupTestCase();

    void reportsTheGadget();
    void followsUdevToo();
    void followsPlugging();
    void answersControlRequests();
    void endsControlRequestsWithTheCable();
    void echoesMessagesInOrder_data();
    void echoesMessagesInOrder();
    void movesPayloads_data();
    void movesPayloads();
    void mixesSizesInBothDirections_data();
    void mixesSizesInBothDirections();
    void wrongPayloadLengthEndsTheLink_data();
    void wrongPayloadLengthEndsTheLink();
    void shutsDownOnce();
    void survivesACut_data();
    void survivesACut();
    void survivesACutWithoutALink();
    void resetInterfaceEmptiesThePipes();
    void resetOfThePortEndsTheLink();
    void sharesUsbfsMemory();
    void memoryOutlivesTheDevice();
    void throughput_data();
    void throughput();

 private:
    void begin(const QString& role);
    void streamBothWays();

    std::unique_ptr<HostEnd> host_;
    pid_t gadget_ = -1;
};

void TestUsbLink::initTestCase() {
    if (speed().mbps != 480) {
        const std::string load =
            std::string("rmmod dummy_hcd && modprobe dummy_hcd num=4 ") + speed().driverOptions;
        QCOMPARE(std::system(load.c_str()), 0);
    }
    gadget_ = startGadget();
    QVERIFY(gadget_ > 0);
}

void TestUsbLink::cleanupTestCase() {
    killGadget(gadget_);
}

void TestUsbLink::init() {
    host_ = std::make_unique<HostEnd>();
}

void TestUsbLink::cleanup() {
    host_.reset();
}

void TestUsbLink::begin(const QString& role) {
    MUST(host_->open(roleOf(role)));
    MUST(host_->startLink());
}

void TestUsbLink::reportsTheGadget() {
    QVERIFY(host_->until([&] { return host_->gadget.has_value(); }));
    const usb::Gadget& gadget = *host_->gadget;
    QVERIFY(host_->discovery->source() == usb::Discovery::Source::Kernel);
    QCOMPARE(gadget.vendorId, 0x1d6b);
    QCOMPARE(gadget.productId, 0x0104);
    QCOMPARE(gadget.manufacturer, std::string("Belay tests"));
    // The escape character is not passed on.
    QCOMPARE(gadget.product, std::string("Loop  gadget"));
    QCOMPARE(gadget.serial, std::string("usb-link"));
    QCOMPARE(gadget.speedMbps, speed().mbps);
    QVERIFY(gadget.syspath.ends_with("/" + gadget.port));
    QVERIFY(::access(gadget.devnode.c_str(), R_OK | W_OK) == 0);
    QVERIFY(gadget.lend && gadget.attach && !gadget.fastboot);
    QVERIFY(gadget.lend->number != gadget.attach->number);
    QVERIFY(gadget.lend->messageIn.interrupt && !gadget.attach->messageIn.interrupt);
    QCOMPARE(gadget.lend->payloadIn.maxPacketBytes, speed().packetBytes);
    QCOMPARE(host_->found, 1);
    QCOMPARE(host_->gone, 0);
}

void TestUsbLink::followsUdevToo() {
    QCOMPARE(std::system("/lib/systemd/systemd-udevd --daemon"), 0);
    HostEnd other;
    QVERIFY(other.discovery->source() == usb::Discovery::Source::Udev);
    QVERIFY(other.until([&] { return other.found == 1; }));
    MUST(unbindGadget());
    QVERIFY(other.until([&] { return other.gone == 1; }));
    MUST(bindGadget());
    QVERIFY(other.until([&] { return other.found == 2; }));
    QCOMPARE(std::system("udevadm control --exit && rm -f /run/udev/control"), 0);
}

void TestUsbLink::followsPlugging() {
    QVERIFY(host_->until([&] { return host_->found == 1; }));
    const usb::Gadget first = *host_->gadget;
    MUST(unbindGadget());
    QVERIFY(host_->until([&] { return host_->gone == 1; }));
    QVERIFY(!host_->gadget);
    MUST(bindGadget());
    QVERIFY(host_->until([&] { return host_->found == 2; }));
    QCOMPARE(host_->gadget->port, first.port);
    QVERIFY(host_->gadget->deviceNumber != first.deviceNumber);

    // Access withdrawn: the device stays, its interfaces go.
    const std::string authorized = first.syspath + "/authorized";
    MUST(writeFile(authorized, "0"));
    QVERIFY(host_->until([&] { return host_->gone == 2; }));
    MUST(writeFile(authorized, "1"));
    QVERIFY(host_->until([&] { return host_->found == 3; }));

    // Gone and back between two looks.
    MUST(unbindGadget());
    MUST(bindGadget());
    QVERIFY(host_->until([&] { return host_->found == 4; }));
    QCOMPARE(host_->gone, 3);
    host_->until([] { return false; }, 200ms);
    QCOMPARE(host_->found, 4);
}

void TestUsbLink::answersControlRequests() {
    MUST(host_->open(usb::Role::Lend));
    const auto pattern = host_->controlIn(peer::kGetPattern, 1000, 4096);
    QCOMPARE(pattern.code, 0);
    QCOMPARE(pattern.bytes.size(), 1000U);
    QVERIFY(peer::hasPattern(pattern.bytes, 0));

    std::vector<std::byte> data(3000);
    peer::fillPattern(data, 9);
    QCOMPARE(host_->controlOut(peer::kKeep, data).code, 0);
    QVERIFY(host_->controlIn(peer::kGetKept, 0, 4096).bytes == data);
    QCOMPARE(host_->controlIn(peer::kGetKept, 0, 10).bytes.size(), 10U);

    QCOMPARE(host_->controlIn(0x7f, 0, 8).code, EPIPE);
    QCOMPARE(host_->controlOut(0x7f, data).code, EPIPE);
    QCOMPARE(host_->controlOut(peer::kKeep, std::vector<std::byte>(4097)).code, EINVAL);

    // A gadget that is asleep.
    ::kill(gadget_, SIGSTOP);
    const TimePoint asked = Clock::now();
    QCOMPARE(host_->controlIn(peer::kGetPattern, 8, 8, 300ms).code, ETIMEDOUT);
    QVERIFY(Clock::now() - asked < 2s);
    ::kill(gadget_, SIGCONT);
    QVERIFY(
        host_->until([&] { return host_->controlIn(peer::kGetPattern, 8, 8, 500ms).code == 0; }));

    // Destroyed with a request under way: nobody is called.
    ::kill(gadget_, SIGSTOP);
    host_->device->controlIn({.requestType = 0xc1,
                              .request = peer::kGetPattern,
                              .value = 8,
                              .index = host_->interface.number},
                             8, 10s, [](auto) { std::abort(); });
    host_->device.reset();
    ::kill(gadget_, SIGCONT);
    host_->until([] { return false; }, 100ms);
}

void TestUsbLink::endsControlRequestsWithTheCable() {
    MUST(host_->open(usb::Role::Lend));
    ::kill(gadget_, SIGSTOP);
    int code = 0;
    host_->device->controlIn({.requestType = 0xc1,
                              .request = peer::kGetPattern,
                              .value = 8,
                              .index = host_->interface.number},
                             8, 60s, [&](auto result) { code = result ? 0 : result.error().code; });
    host_->until([] { return false; }, 50ms);
    MUST(writeFile(host_->gadget->syspath + "/remove", "1"));
    QVERIFY(host_->until([&] { return code != 0; }, 2s));
    QVERIFY2(code == ENODEV || code == EIO, qPrintable(QString::number(code)));
    ::kill(gadget_, SIGCONT);
    QCOMPARE(host_->controlIn(peer::kGetPattern, 8, 8).code, ENODEV);
    QVERIFY(!host_->reset().empty());
    MUST(unbindGadget());
    MUST(bindGadget());
}

void TestUsbLink::echoesMessagesInOrder_data() {
    QTest::addColumn<QString>("role");
    QTest::newRow("lend") << "lend";
    QTest::newRow("attach") << "attach";
}

void TestUsbLink::echoesMessagesInOrder() {
    QFETCH(QString, role);
    begin(role);
    std::uint64_t next = 0;
    // All burst sizes around those that fill packets and transfers.
    for (unsigned burst = 1; burst <= 140; burst += burst < 70 ? 1 : 7) {
        for (unsigned i = 0; i < burst; ++i)
            host_->send({.op = peer::Op::Echo, .seed = next++});
        QVERIFY(host_->until([&] { return host_->answers.size() == next; }));
    }
    for (std::uint64_t i = 0; i < next; ++i)
        QCOMPARE(host_->answers[i].seed, i);
    QVERIFY(host_->downs.empty());
}

void TestUsbLink::movesPayloads_data() {
    QTest::addColumn<QString>("role");
    QTest::addColumn<std::uint32_t>("length");
    QTest::addColumn<bool>("heap");
    for (const char* role : {"lend", "attach"}) {
        for (const std::uint32_t length : {1U, 511U, 512U, 513U, 1000U, 1024U, 4096U, 16384U,
                                           65535U, 65536U, 65537U, 262144U, kMiB - 1, kMiB}) {
            for (const bool heap : {false, true})
                QTest::addRow("%s %u %s", role, length, heap ? "heap" : "usbfs")
                    << role << length << heap;
        }
    }
}

void TestUsbLink::movesPayloads() {
    QFETCH(QString, role);
    QFETCH(std::uint32_t, length);
    QFETCH(bool, heap);
    begin(role);
    constexpr std::size_t kDepth = 8;
    constexpr std::size_t kRounds = 3;
    const auto arena = heap ? *Arena::heap(kDepth * kMiB) : host_->link->arena();
    std::vector<Buffer> buffers;
    for (std::size_t i = 0; i < kDepth; ++i) {
        if (auto buffer = arena->take(length))
            buffers.push_back(std::move(*buffer));
    }
    QVERIFY(buffers.size() >= 4);
    for (std::size_t round = 0; round < kRounds; ++round) {
        const std::size_t wanted = (round + 1) * buffers.size();
        for (std::size_t i = 0; i < buffers.size(); ++i)
            host_->startTake(buffers[i].bytes(), 1000 * round + i);
        QVERIFY(host_->until(
            [&] { return host_->sent.size() == wanted && host_->answers.size() == wanted; }));
        for (Buffer& buffer : buffers)
            std::memset(buffer.bytes().data(), 0, length);
        for (std::size_t i = 0; i < buffers.size(); ++i)
            host_->startGive(buffers[i].bytes(), 77 * round + i);
        QVERIFY(host_->until([&] { return host_->received.size() == wanted; }));
        for (std::size_t i = 0; i < buffers.size(); ++i)
            QVERIFY(peer::hasPattern(buffers[i].bytes(), 77 * round + i));
    }
    for (const peer::Command& answer : host_->answers)
        QCOMPARE(answer.failed, 0);
    QVERIFY(std::ranges::is_sorted(host_->sent));
    QVERIFY(std::ranges::is_sorted(host_->received));
    QVERIFY(host_->downs.empty());
}

void TestUsbLink::mixesSizesInBothDirections_data() {
    echoesMessagesInOrder_data();
}

void TestUsbLink::mixesSizesInBothDirections() {
    QFETCH(QString, role);
    begin(role);
    const auto arena = *Arena::heap(16 * kMiB);
    struct Give {
        Buffer buffer;
        std::uint64_t seed;
    };
    std::vector<Give> gives;
    std::vector<Buffer> takes;
    std::uint64_t seed = 1;
    for (const std::uint32_t length : {65536U, 512U, 131072U, 7U, 4096U, 300000U, 1024U, 65537U,
                                       512U, 2048U, 1U, kMiB, 100U, 24576U}) {
        gives.push_back({*arena->take(length), ++seed});
        takes.push_back(*arena->take(length));
    }
    for (std::size_t i = 0; i < gives.size(); ++i) {
        host_->startGive(gives[i].buffer.bytes(), gives[i].seed);
        host_->startTake(takes[i].bytes(), 500 + i);
        host_->send({.op = peer::Op::Echo, .seed = i});
    }
    QVERIFY(host_->until([&] {
        return host_->received.size() == gives.size() && host_->answers.size() == 2 * gives.size();
    }));
    for (const Give& give : gives)
        QVERIFY(peer::hasPattern(give.buffer.bytes(), give.seed));
    for (const peer::Command& answer : host_->answers)
        QCOMPARE(answer.failed, 0);
}

void TestUsbLink::wrongPayloadLengthEndsTheLink_data() {
    QTest::addColumn<std::uint32_t>("expected");
    QTest::addColumn<std::uint32_t>("given");
    QTest::addColumn<int>("code");
    QTest::newRow("short by a byte") << 4096U << 4095U << EPROTO;
    QTest::newRow("short by much") << 65536U << 10U << EPROTO;
    QTest::newRow("long, within a packet") << 1000U << 1024U << EOVERFLOW;
}

void TestUsbLink::wrongPayloadLengthEndsTheLink() {
    QFETCH(std::uint32_t, expected);
    QFETCH(std::uint32_t, given);
    QFETCH(int, code);
    begin("attach");
    Buffer buffer = *host_->link->arena()->take(expected);
    host_->link->receivePayload(buffer.bytes(), 1);
    host_->send({.op = peer::Op::Give, .length = given, .seed = 1});
    QVERIFY(host_->until([&] { return !host_->downs.empty(); }));
    QCOMPARE(host_->downs[0].code, code);
    QVERIFY(!host_->downs[0].hint.empty());
    QVERIFY(host_->received.empty());
    // The next link is none the worse for it.
    MUST(host_->reset());
    MUST(host_->startLink());
    host_->startGive(buffer.bytes(), 3);
    QVERIFY(host_->until([&] { return host_->received.size() == 1; }));
    QVERIFY(peer::hasPattern(buffer.bytes(), 3));
}

void TestUsbLink::shutsDownOnce() {
    begin("lend");
    std::vector<Buffer> buffers;
    for (int i = 0; i < 4; ++i) {
        buffers.push_back(*host_->link->arena()->take(kMiB));
        host_->link->receivePayload(buffers.back().bytes(), 1);
    }
    host_->link->shutDown(Error{.what = "first", .object = {}, .code = 1, .hint = {}});
    host_->link->shutDown(Error{.what = "second", .object = {}, .code = 2, .hint = {}});
    QVERIFY(host_->downs.empty());
    host_->link->receivePayload(buffers[0].bytes(), 2);
    host_->link->sendPayload(buffers[0].bytes(), 3);
    QVERIFY(host_->until([&] { return !host_->downs.empty(); }, 2s));
    host_->until([] { return false; }, 50ms);
    QCOMPARE(host_->downs.size(), 1U);
    QCOMPARE(host_->downs[0].what, std::string("first"));
    QVERIFY(host_->received.empty() && host_->sent.empty());

    // One that is shut down before it is started says so all the same.
    usb::HostLink early(host_->device, host_->interface);
    early.shutDown(Error{.what = "early", .object = {}, .hint = {}});
    early.start(wire::MessageFraming::native(512), *host_);
    QCOMPARE(host_->downs.size(), 1U);
    QVERIFY(host_->until([&] { return host_->downs.size() == 2; }, 1s));
}

// Keeps both payload pipes and the message pipes busy for ever.
void TestUsbLink::streamBothWays() {
    constexpr std::uint32_t kLength = 64 * kKiB;
    host_->send({.op = peer::Op::Sink, .length = kLength, .count = 1'000'000});
    auto memory = std::make_shared<std::vector<std::byte>>(kLength);
    host_->onPayload = [this, memory](std::uint64_t) { host_->link->sendPayload(*memory, 1); };
    for (int i = 0; i < 6; ++i)
        host_->link->sendPayload(*memory, 1);
    static std::vector<std::byte> never(kLength);
    for (int i = 0; i < 4; ++i)
        host_->link->receivePayload(never, 2);
}

void TestUsbLink::survivesACut_data() {
    QTest::addColumn<QString>("cut");
    QTest::newRow("gadget unbound") << "unbind";
    QTest::newRow("port off") << "port";
    QTest::newRow("removed") << "remove";
    QTest::newRow("unauthorized") << "authorized";
    QTest::newRow("gadget killed") << "kill";
}

void TestUsbLink::survivesACut() {
    QFETCH(QString, cut);
    for (int round = 0; round < 6; ++round) {
        begin(round % 2 == 0 ? "lend" : "attach");
        // The last two with nothing under way but the posted receives of messages.
        if (round < 4) {
            streamBothWays();
            QVERIFY(host_->until([&] { return host_->sent.size() > 50U + 13U * round; }));
        }

        const std::string syspath = host_->gadget->syspath;
        char* port = ::realpath((syspath + "/port").c_str(), nullptr);
        QVERIFY(port != nullptr);
        const std::string disable = std::string(port) + "/disable";
        std::free(port);
        const int found = host_->found;
        QElapsedTimer since;
        since.start();
        if (cut == "unbind")
            MUST(unbindGadget());
        else if (cut == "port")
            MUST(writeFile(disable, "1"));
        else if (cut == "remove")
            MUST(writeFile(syspath + "/remove", "1"));
        else if (cut == "authorized")
            MUST(writeFile(syspath + "/authorized", "0"));
        else
            killGadget(gadget_);
        QVERIFY(host_->until([&] { return !host_->downs.empty(); }, 2s));
        const qint64 took = since.elapsed();
        const Error reason = host_->downs[0];
        if (round == 0 || round == 4)
            qInfo("%s%s: down after %lld ms: %s", qPrintable(cut), round < 4 ? "" : ", idle", took,
                  reason.message().c_str());
        QVERIFY2(reason.code == ENODEV || reason.code == EIO || reason.code == ECANCELED ||
                     reason.code == EPROTO,
                 reason.message().c_str());
        QVERIFY(host_->until([&] { return !host_->gadget; }, 2s));
        // libusb's descriptor has a hang-up on it for ever.
        const auto busy = host_->cpuTimeOf(300ms);
        QVERIFY2(busy < 60ms, qPrintable(QString::number(busy.count())));
        QCOMPARE(host_->downs.size(), 1U);
        host_->close();

        if (cut == "unbind")
            MUST(bindGadget());
        else if (cut == "authorized")
            MUST(writeFile(syspath + "/authorized", "1"));
        else if (cut == "kill")
            gadget_ = startGadget();
        if (cut == "remove")
            MUST(writeFile(disable, "1"));
        if (cut == "remove" || cut == "port")
            MUST(writeFile(disable, "0"));
        QVERIFY(host_->until([&] { return host_->found == found + 1; }));
    }
    begin("attach");
    Buffer buffer = *host_->link->arena()->take(4096);
    host_->startGive(buffer.bytes(), 5);
    QVERIFY(host_->until([&] { return host_->received.size() == 1; }));
    QVERIFY(peer::hasPattern(buffer.bytes(), 5));
}

void TestUsbLink::survivesACutWithoutALink() {
    MUST(host_->open(usb::Role::Lend));
    MUST(unbindGadget());
    QVERIFY(host_->until([&] { return !host_->gadget; }, 2s));
    const auto busy = host_->cpuTimeOf(300ms);
    QVERIFY2(busy < 60ms, qPrintable(QString::number(busy.count())));
    // A link on a device that is gone goes down like any other.
    usb::HostLink late(host_->device, host_->interface);
    late.start(wire::MessageFraming::native(512), *host_);
    QVERIFY(host_->downs.empty());
    QVERIFY(host_->until([&] { return host_->downs.size() == 1; }, 1s));
    QCOMPARE(host_->downs[0].code, ENODEV);
    QVERIFY(!host_->reset().empty());
    MUST(bindGadget());
    QVERIFY(host_->until([&] { return host_->gadget.has_value(); }));
}

void TestUsbLink::resetInterfaceEmptiesThePipes() {
    begin("lend");
    streamBothWays();
    QVERIFY(host_->until([&] { return host_->sent.size() > 50; }));
    host_->link->shutDown({"enough", {}, 0, {}});
    QVERIFY(host_->until([&] { return !host_->downs.empty(); }, 2s));
    QElapsedTimer since;
    since.start();
    MUST(host_->reset());
    qInfo("interface reset in %lld us", since.nsecsElapsed() / 1000);
    MUST(host_->startLink());
    host_->send({.op = peer::Op::Echo, .seed = 4});
    QVERIFY(host_->until([&] { return host_->answers.size() == 1; }));
    QCOMPARE(host_->answers[0].seed, 4U);
}

void TestUsbLink::resetOfThePortEndsTheLink() {
    begin("attach");
    streamBothWays();
    QVERIFY(host_->until([&] { return host_->sent.size() > 50; }));
    {
        const Fd other(::open(host_->gadget->devnode.c_str(), O_RDWR | O_CLOEXEC));
        QElapsedTimer since;
        since.start();
        QVERIFY2(other && ::ioctl(other.get(), USBDEVFS_RESET, nullptr) == 0, strerror(errno));
        qInfo("port reset in %lld ms", since.elapsed());
    }
    QVERIFY(host_->until([&] { return !host_->downs.empty(); }, 2s));
    // The interface is not ours any more.
    const auto open = host_->device->openHandle();
    host_->close();
    QVERIFY(open.expired());
    MUST(host_->open(usb::Role::Attach));
    MUST(host_->startLink());
    host_->send({.op = peer::Op::Echo, .seed = 4});
    QVERIFY(host_->until([&] { return host_->answers.size() == 1; }));
}

void TestUsbLink::sharesUsbfsMemory() {
    const std::string limit = "/sys/module/usbcore/parameters/usbfs_memory_mb";
    const std::string before = readFile(limit);
    MUST(writeFile(limit, "4"));
    begin("attach");
    // Three chunks fit beside the message transfers, and one is given back.
    QCOMPARE(host_->link->arena()->capacity(), std::size_t{2} * kMiB);
    // More at once than there is memory for.
    const auto heap = *Arena::heap(12 * kMiB);
    std::vector<Buffer> buffers;
    for (std::uint64_t i = 0; i < 12; ++i) {
        buffers.push_back(*heap->take(kMiB));
        host_->startGive(buffers.back().bytes(), i);
    }
    QVERIFY(host_->until([&] { return host_->received.size() == buffers.size(); }));
    for (std::uint64_t i = 0; i < buffers.size(); ++i)
        QVERIFY(peer::hasPattern(buffers[i].bytes(), i));
    for (std::uint64_t i = 0; i < buffers.size(); ++i)
        host_->startTake(buffers[i].bytes(), i);
    QVERIFY(host_->until([&] { return host_->answers.size() == buffers.size(); }));
    for (const peer::Command& answer : host_->answers)
        QCOMPARE(answer.failed, 0);

    // Shut down with some still waiting for memory.
    for (Buffer& buffer : buffers)
        host_->link->receivePayload(buffer.bytes(), 0);
    host_->close();
    QCOMPARE(host_->downs.size(), 1U);

    MUST(writeFile(limit, "1"));
    MUST(host_->open(usb::Role::Attach));
    // No chunk of usbfs' to be had: ordinary memory.
    QCOMPARE(host_->device->arena()->capacity(), usb::Device::kArenaBytes);
    MUST(writeFile(limit, before));
}

void TestUsbLink::memoryOutlivesTheDevice() {
    begin("attach");
    QCOMPARE(host_->link->arena()->capacity(), usb::Device::kArenaBytes);
    Buffer kept = *host_->link->arena()->take(kMiB);
    host_->close();
    std::memset(kept.bytes().data(), 7, kMiB);
    // And does not keep others from the interface.
    begin("attach");
    Buffer buffer = *host_->link->arena()->take(4096);
    host_->startGive(buffer.bytes(), 5);
    QVERIFY(host_->until([&] { return host_->received.size() == 1; }));
    QVERIFY(peer::hasPattern(buffer.bytes(), 5));
}

void TestUsbLink::throughput_data() {
    QTest::addColumn<bool>("out");
    QTest::addColumn<std::uint32_t>("length");
    QTest::addColumn<std::uint32_t>("count");
    QTest::addColumn<bool>("heap");
    for (const bool heap : {true, false}) {
        for (const bool out : {true, false}) {
            for (const std::uint32_t length : {64 * kKiB, kMiB})
                QTest::addRow("%s %u KiB x 8, %s", out ? "out" : "in", length / kKiB,
                              heap ? "heap" : "usbfs")
                    << out << length
                    << (qEnvironmentVariableIsSet("BELAY_TEST_FULL") ? 96 : 8) * kMiB / length
                    << heap;
        }
    }
}

void TestUsbLink::throughput() {
    QFETCH(bool, out);
    QFETCH(std::uint32_t, length);
    QFETCH(std::uint32_t, count);
    QFETCH(bool, heap);
    begin("attach");
    constexpr std::uint32_t kDepth = 8;
    const auto arena = heap ? *Arena::heap(kDepth * kMiB) : host_->link->arena();
    std::vector<Buffer> buffers;
    for (std::uint32_t i = 0; i < kDepth; ++i)
        buffers.push_back(*arena->take(length));
    std::uint32_t left = count;
    const auto move = [&](std::uint64_t i) {
        if (left == 0)
            return;
        --left;
        if (out)
            host_->link->sendPayload(buffers[i].bytes(), i);
        else
            host_->link->receivePayload(buffers[i].bytes(), i);
    };
    host_->onPayload = move;
    QElapsedTimer since;
    since.start();
    host_->send({.op = out ? peer::Op::Sink : peer::Op::Source, .length = length, .count = count});
    for (std::uint64_t i = 0; i < kDepth; ++i)
        move(i);
    QVERIFY(host_->until(
        [&] {
            return host_->answers.size() == 1 &&
                   host_->sent.size() + host_->received.size() == count;
        },
        30s));
    const double seconds = static_cast<double>(since.nsecsElapsed()) / 1e9;
    qInfo("%s: %.0f MB/s", QTest::currentDataTag(),
          static_cast<double>(count) * length / seconds / 1e6);
    QVERIFY(host_->downs.empty());
}

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--gadget") == 0)
        return peer::run();
    QCoreApplication application(argc, argv);
    TestUsbLink test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_usb_link.moc"
