#include "core/wire/link.h"
#include "tests/vm/ffs/gadget_end.h"
#include "tests/vm/ffs/host_end.h"
#include "tests/vm/scenario/failure.h"

#include <signal.h>

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTest>
#include <future>

using namespace ffstest;
using belay::ffs::Endpoint;
using belay::ffs::Kind;
using belay::ffs::Speed;

namespace {

const QString kGadgets = QStringLiteral("/sys/kernel/config/usb_gadget/");

bool write(const QString& path, const QByteArray& text) {
    QFile file(path);
    return file.open(QIODevice::WriteOnly | QIODevice::Unbuffered) &&
           file.write(text) == text.size();
}

QByteArray read(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed() : QByteArray();
}

bool run(const QString& program, const QStringList& arguments) {
    return QProcess::execute(program, arguments) == 0;
}

// A gadget in a process of its own.
class Gadget {
 public:
    ~Gadget() { kill(); }

    // Starts it; false with what it said in errors() if it does not come up.
    bool start(const QString& name, const QString& udc, const QString& kinds) {
        process_.setProcessChannelMode(QProcess::SeparateChannels);
        process_.start(QCoreApplication::applicationFilePath(),
                       {QStringLiteral("--gadget"), name, udc, kinds});
        if (!process_.waitForReadyRead(10000)) {
            process_.waitForFinished(100);
            return false;
        }
        ready_ = process_.readAllStandardOutput().trimmed();
        return ready_.startsWith("ready");
    }
    // Ends it as a service manager does; true if it left in order.
    bool stop() {
        process_.terminate();
        return process_.waitForFinished(5000) && process_.exitStatus() == QProcess::NormalExit &&
               process_.exitCode() == 0;
    }
    void kill() {
        if (process_.state() == QProcess::NotRunning)
            return;
        process_.kill();
        process_.waitForFinished(5000);
    }
    QByteArray ready() const { return ready_; }
    QByteArray errors() {
        return process_.isOpen() ? process_.readAllStandardError().trimmed() : QByteArray();
    }

 private:
    QProcess process_;
    QByteArray ready_;
};

}  // namespace

// The gadget's end against a host that is plain libusb, on a real kernel with dummy_hcd. Each test
// runs at each speed.
class TestFfs : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase_data();
    void initTestCase();
    void init();
    void cleanup();

    void descriptorsAsSeenByTheHost();
    void messages_data();
    void messages();
    void payloads_data();
    void payloads();
    void everythingAtOnce();
    void shortPayloadEndsTheLink();
    void interfaceReset();
    void gadgetShutsDown();
    void cableCuts_data();
    void cableCuts();
    void cutMidStream();
    void killedAndTakenOver();
    void controlRequests();
    void controlRequestsTakenBack();
    void twoGadgets();
    void leavesNothingBehind();
    void refusesWhatIsNotOurs();

 private:
    void startBoth();
    std::unique_ptr<Host> find(Kind kind = Kind::Lend) { return Host::find("one", kind); }
    bool waitFor(Host& host, const std::function<bool(const Report&)>& condition);

    QByteArray loaded_;
    std::unique_ptr<Gadget> gadget_;
};

void TestFfs::initTestCase_data() {
    QTest::addColumn<QByteArray>("speed");
    if (scenario::hasTurn(0))
        QTest::newRow("high") << QByteArray("");
    if (scenario::hasTurn(1))
        QTest::newRow("super") << QByteArray("is_super_speed=1");
    // The slowest by far, and no different from the others but in its descriptors.
    if (scenario::full())
        QTest::newRow("full") << QByteArray("is_high_speed=0");
}

void TestFfs::initTestCase() {
    QVERIFY2(geteuid() == 0, "needs root, in the VM rig");
    QVERIFY2(QFile::exists(kGadgets), "needs libcomposite, in the VM rig");
    loaded_ = "?";
}

void TestFfs::init() {
    QFETCH_GLOBAL(QByteArray, speed);
    if (loaded_ != speed) {
        run(QStringLiteral("rmmod"), {QStringLiteral("dummy_hcd")});
        QStringList arguments{QStringLiteral("dummy_hcd"), QStringLiteral("num=2")};
        if (!speed.isEmpty())
            arguments << QString::fromLatin1(speed);
        QVERIFY(run(QStringLiteral("modprobe"), arguments));
        loaded_ = speed;
    }
    gadget_ = std::make_unique<Gadget>();
}

void TestFfs::cleanup() {
    const bool stopped = gadget_->ready().isEmpty() || gadget_->stop();
    const QByteArray errors = gadget_->errors();
    if (!errors.isEmpty())
        qInfo().noquote() << errors;
    gadget_.reset();
    QVERIFY(stopped);
}

void TestFfs::startBoth() {
    QVERIFY2(gadget_->start(QStringLiteral("one"), QStringLiteral("dummy_udc.0"),
                            QStringLiteral("lend,attach")),
             gadget_->errors().constData());
}

bool TestFfs::waitFor(Host& host, const std::function<bool(const Report&)>& condition) {
    return QTest::qWaitFor([&] { return condition(host.report()); }, 3000);
}

void TestFfs::descriptorsAsSeenByTheHost() {
    QFETCH_GLOBAL(QByteArray, speed);
    startBoth();
    const auto expected = belay::ffs::maxPacketBytes(speed == "is_super_speed=1" ? Speed::Super
                                                     : speed.isEmpty()           ? Speed::High
                                                                                 : Speed::Full);
    for (const Kind kind : {Kind::Lend, Kind::Attach}) {
        const auto host = find(kind);
        QVERIFY(host);
        const auto& interface = host->interface();
        QCOMPARE(interface.bInterfaceClass, std::uint8_t{0xff});
        QCOMPARE(interface.bInterfaceSubClass, std::uint8_t{0x53});
        QCOMPARE(interface.bNumEndpoints, std::uint8_t{4});
        for (std::size_t i = 0; i < 4; ++i) {
            const auto& endpoint = interface.endpoint[i];
            const bool interrupt = kind == Kind::Lend && i < 2;
            QCOMPARE((endpoint.bEndpointAddress & 0x80) != 0, i % 2 == 0);
            QCOMPARE(endpoint.bmAttributes & 3, interrupt ? 3 : 2);
            QCOMPARE(endpoint.wMaxPacketSize, expected);
        }
        char text[64] = {};
        libusb_get_string_descriptor_ascii(host->handle(), interface.iInterface,
                                           reinterpret_cast<unsigned char*>(text), sizeof text);
        QCOMPARE(QByteArray(text), kind == Kind::Lend ? "Belay lend" : "Belay attach");
        QVERIFY(waitFor(*host, [](const Report& r) { return r.enabled == 1 && r.bound == 1; }));
    }
}

void TestFfs::messages_data() {
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("smoo");
    QTest::newRow("lend, native") << 0 << false;
    QTest::newRow("lend, smoo") << 0 << true;
    QTest::newRow("attach, native") << 1 << false;
}

void TestFfs::messages() {
    QFETCH(int, kind);
    QFETCH(bool, smoo);
    startBoth();
    const auto host = find(static_cast<Kind>(kind));
    QVERIFY(host);
    const std::size_t packet = host->messagePacketBytes();
    const auto framing =
        smoo ? belay::wire::MessageFraming::smoo() : belay::wire::MessageFraming::native(packet);
    QVERIFY(host->start({.smooFraming = smoo, .echo = 1}));
    QByteArray sent;
    for (int i = 0; sent.size() < 40000; ++i) {
        QByteArray message(static_cast<qsizetype>(framing.messageBytes), static_cast<char>(i));
        memcpy(message.data(), &i, sizeof i);
        sent += message;
    }
    auto receiving = std::async(std::launch::async, [&] {
        QByteArray received;
        while (received.size() < sent.size()) {
            QByteArray transfer(static_cast<qsizetype>(framing.transferBytes), 0);
            if (host->receiveMessage(transfer, 3000) < 0)
                break;
            received += transfer;
        }
        return received;
    });
    // One, two, three ... waiting: all batch sizes there are.
    std::size_t waiting = 1;
    for (qsizetype at = 0; at < sent.size();) {
        const std::size_t left = static_cast<std::size_t>(sent.size() - at) / framing.messageBytes;
        const auto length = static_cast<qsizetype>(
            framing.batch(std::min(waiting++ % 70 + 1, left), packet) * framing.messageBytes);
        QCOMPARE(host->sendMessage(sent.mid(at, length), 3000), static_cast<int>(length));
        at += length;
    }
    QCOMPARE(receiving.get(), sent);
    QCOMPARE(host->report().wrong, 0U);
}

void TestFfs::payloads_data() {
    QTest::addColumn<unsigned>("size");
    QTest::addColumn<unsigned>("depth");
    QTest::addColumn<bool>("vary");
    for (const unsigned size : {512U, 4096U, 65536U, 1048576U})
        for (const unsigned depth : {1U, 8U, 32U})
            QTest::addRow("%u x %u", size, depth) << size << depth << false;
    for (const unsigned size : {64U, 3000U, 200001U, 1048576U})
        QTest::addRow("1 to %u x 8", size) << size << 8U << true;
}

void TestFfs::payloads() {
    QFETCH_GLOBAL(QByteArray, speed);
    QFETCH(unsigned, size);
    QFETCH(unsigned, depth);
    QFETCH(bool, vary);
    if (QTest::currentDataTag() == QByteArray("512 x 1"))
        write(QStringLiteral("/sys/module/usbcore/parameters/usbfs_memory_mb"), "512");
    startBoth();
    const auto host = find(Kind::Attach);
    QVERIFY(host);
    const unsigned total = speed.contains("is_high_speed=0") ? 2'000'000 : 12'000'000;
    const unsigned count = std::clamp(total / size, std::min(depth, 6U), 400U);
    const Job job{
        .receiveCount = count, .sendCount = count, .size = size, .vary = vary, .depth = depth};
    QVERIFY(host->start(job));
    const Outcome out = host->sendPayloads(job, count);
    QCOMPARE(out.status, 0);
    QCOMPARE(out.done, count);
    QVERIFY(waitFor(*host, [&](const Report& r) { return r.received == count; }));
    const Outcome in = host->receivePayloads(job, count);
    QCOMPARE(in.status, 0);
    QCOMPARE(in.done, count);
    QCOMPARE(in.wrong, 0U);
    QVERIFY(waitFor(*host, [&](const Report& r) { return r.sent == count; }));
    QCOMPARE(host->report().wrong, 0U);
    QCOMPARE(host->report().linksDown, 0U);
}

void TestFfs::everythingAtOnce() {
    startBoth();
    const auto lend = find(Kind::Lend);
    const auto attach = Host::find("one", Kind::Attach);
    QVERIFY(lend && attach);
    const Job job{
        .echo = 1, .receiveCount = 200, .sendCount = 200, .size = 20000, .vary = 1, .depth = 8};
    QVERIFY(lend->start(job));
    QVERIFY(attach->start(job));
    std::vector<std::future<Outcome>> outcomes;
    for (Host* host : {lend.get(), attach.get()}) {
        outcomes.push_back(
            std::async(std::launch::async, [=] { return host->sendPayloads(job, job.sendCount); }));
        outcomes.push_back(std::async(std::launch::async,
                                      [=] { return host->receivePayloads(job, job.sendCount); }));
    }
    for (int i = 0; i < 100; ++i) {
        QByteArray message(64, static_cast<char>(i));
        QByteArray answer(4096, 0);
        if (lend->messagePacketBytes() == 64)
            answer.resize(64);
        QCOMPARE(lend->sendMessage(message), 64);
        QCOMPARE(lend->receiveMessage(answer), 64);
        QCOMPARE(answer, message);
    }
    for (auto& outcome : outcomes) {
        const Outcome result = outcome.get();
        QCOMPARE(result.status, 0);
        QCOMPARE(result.done, job.sendCount);
        QCOMPARE(result.wrong, 0U);
    }
    for (Host* host : {lend.get(), attach.get()}) {
        QVERIFY(waitFor(*host, [](const Report& r) { return r.received == 200 && r.sent == 200; }));
        QCOMPARE(host->report().wrong, 0U);
    }
}

void TestFfs::shortPayloadEndsTheLink() {
    startBoth();
    const auto host = find();
    QVERIFY(host);
    QVERIFY(host->start({.receiveCount = 4, .size = 200000, .depth = 4}));
    QCOMPARE(host->sendPayloads({.size = 1000}, 1).done, 1U);
    QVERIFY(waitFor(*host, [](const Report& r) { return r.linksDown == 1; }));
    const Report report = host->report();
    QCOMPARE(report.downCode, static_cast<unsigned>(EPROTO));
    QCOMPARE(report.received, 0U);
    QCOMPARE(report.disabled, 0U);
}

void TestFfs::interfaceReset() {
    startBoth();
    const auto host = find();
    const auto other = find(Kind::Attach);
    QVERIFY(host && other);
    const Job job{.receiveCount = 100, .sendCount = 100, .size = 100000, .depth = 4};
    QVERIFY(other->start({.receiveCount = 1, .size = 5000}));
    for (unsigned round = 1; round <= 5; ++round) {
        QVERIFY(host->start(job));
        // Half a payload is under way in each direction when the pipes are reset.
        Job part = job;
        part.size = 51200;
        part.depth = 1;
        part.check = 0;
        QCOMPARE(host->sendPayloads(part, 1).done, 1U);
        QCOMPARE(host->receivePayloads(part, 1).done, 1U);
        QElapsedTimer timer;
        timer.start();
        QCOMPARE(host->resetInterface(), 0);
        QVERIFY(waitFor(*host, [&](const Report& r) {
            return r.linksDown == 2 * round - 1 && r.enabled == 2 * round;
        }));
        QCOMPARE(host->report().downCode, static_cast<unsigned>(ESHUTDOWN));
        QCOMPARE(host->report().disabled, 2 * round - 1);
        // The next session has clean pipes: everything arrives whole, from the first byte on.
        QVERIFY(host->start(job));
        QCOMPARE(host->sendPayloads(job, 10).done, 10U);
        const Outcome in = host->receivePayloads(job, 10);
        QCOMPARE(in.done, 10U);
        QCOMPARE(in.wrong, 0U);
        QVERIFY(waitFor(*host, [](const Report& r) { return r.received == 10; }));
        QCOMPARE(host->report().wrong, 0U);
        QCOMPARE(host->resetInterface(), 0);
        QVERIFY(waitFor(*host, [&](const Report& r) { return r.linksDown == 2 * round; }));
    }
    // The other interface did not notice.
    QCOMPARE(other->report().disabled, 0U);
    QCOMPARE(other->report().linksDown, 0U);
}

void TestFfs::gadgetShutsDown() {
    startBoth();
    const auto host = find();
    QVERIFY(host);
    const Job job{.receiveCount = 50, .sendCount = 50, .size = 1048576, .depth = 8};
    for (unsigned round = 1; round <= 10; ++round) {
        QVERIFY(host->start(job));
        QCOMPARE(host->out(kShutDown, nullptr, 0), 0);
        QVERIFY(waitFor(*host, [&](const Report& r) { return r.linksDown == round; }));
        const Report report = host->report();
        QCOMPARE(report.downCode, static_cast<unsigned>(ECANCELED));
        QVERIFY2(report.shutDownMicroseconds < 500'000,
                 qPrintable(QString::number(report.shutDownMicroseconds)));
        if (round == 1)
            qInfo("shutDown to linkDown: %u us", report.shutDownMicroseconds);
        QCOMPARE(host->resetInterface(), 0);
    }
}

void TestFfs::cableCuts_data() {
    QTest::addColumn<bool>("byGadget");
    QTest::newRow("UDC unbound") << true;
    QTest::newRow("port disabled") << false;
}

void TestFfs::cableCuts() {
    QFETCH(bool, byGadget);
    startBoth();
    auto host = find();
    QVERIFY(host);
    const QString udc = kGadgets + QStringLiteral("one/UDC");
    const QString port = host->port() + QStringLiteral("/disable");
    const Job job{.receiveCount = 100, .sendCount = 100, .size = 65536, .depth = 8};
    for (unsigned round = 1; round <= 3; ++round) {
        QVERIFY(host->start(job));
        QVERIFY(byGadget ? write(udc, "\n") : write(port, "1"));
        const Outcome after = host->sendPayloads(job, 4);
        QVERIFY(after.status != 0);
        host.reset();
        QTest::qWait(20);
        QElapsedTimer timer;
        timer.start();
        QVERIFY(byGadget ? write(udc, "dummy_udc.0\n") : write(port, "0"));
        host = find();
        QVERIFY(host);
        QVERIFY(waitFor(*host, [&](const Report& r) { return r.enabled == round + 1; }));
        if (round == 1)
            qInfo("plugged in to enabled: %lld ms", timer.elapsed());
        const Report report = host->report();
        QCOMPARE(report.linksDown, round);
        QCOMPARE(report.downCode, static_cast<unsigned>(ESHUTDOWN));
        QCOMPARE(report.disabled, round);
        QCOMPARE(report.unbound, byGadget ? round : 0U);
        QCOMPARE(report.bound, report.unbound + 1);
    }
    QVERIFY(host->start(job));
    QCOMPARE(host->sendPayloads(job, 20).done, 20U);
    QVERIFY(waitFor(*host, [](const Report& r) { return r.received == 20 && r.wrong == 0; }));
}

void TestFfs::cutMidStream() {
    startBoth();
    const QString udc = kGadgets + QStringLiteral("one/UDC");
    const Job job{.receiveCount = 100000, .sendCount = 100000, .size = 8192, .depth = 8};
    for (unsigned round = 1; round <= 4; ++round) {
        const auto host = find();
        QVERIFY(host);
        QVERIFY(host->start(job));
        auto sending =
            std::async(std::launch::async, [&] { return host->sendPayloads(job, 100000); });
        auto receiving =
            std::async(std::launch::async, [&] { return host->receivePayloads(job, 100000); });
        QThread::msleep(30 * round);
        QVERIFY(write(udc, "\n"));
        const Outcome out = sending.get();
        const Outcome in = receiving.get();
        QVERIFY(out.status != 0 && out.done > 0);
        QVERIFY(in.status != 0 && in.done > 0);
        QCOMPARE(in.wrong, 0U);
        QVERIFY(write(udc, "dummy_udc.0\n"));
    }
    const auto host = find();
    QVERIFY(host);
    QVERIFY(waitFor(*host, [](const Report& r) { return r.linksDown == 4 && r.enabled == 5; }));
    QCOMPARE(host->report().wrong, 0U);
}

void TestFfs::killedAndTakenOver() {
    for (int round = 0; round < 3; ++round) {
        startBoth();
        auto host = find();
        QVERIFY(host);
        const Job job{.receiveCount = 100, .sendCount = 100, .size = 65536, .depth = 8};
        QVERIFY(host->start(job));
        const unsigned pid = host->report().pid;
        // A host that waits for payloads which never come.
        Job idle = job;
        idle.sendCount = 0;
        QVERIFY(host->start(idle));
        auto waiting =
            std::async(std::launch::async, [&] { return host->receivePayloads(job, 4, 10000); });
        QThread::msleep(20);
        QElapsedTimer timer;
        timer.start();
        gadget_->kill();
        const Outcome outcome = waiting.get();
        const qint64 noticed = timer.elapsed();
        QVERIFY(outcome.status != 0 && outcome.status != LIBUSB_TRANSFER_TIMED_OUT);
        QVERIFY2(noticed < 2000, qPrintable(QString::number(noticed)));
        host.reset();
        QCOMPARE(read(kGadgets + QStringLiteral("one/UDC")), QByteArray());

        timer.restart();
        gadget_ = std::make_unique<Gadget>();
        startBoth();
        const qint64 bound = timer.elapsed();
        host = find();
        QVERIFY(host);
        QVERIFY(waitFor(*host, [](const Report& r) { return r.enabled == 1; }));
        qInfo("host noticed after %lld ms; new process: %s, bound after %lld ms, enabled %lld ms",
              noticed, gadget_->ready().constData(), bound, timer.elapsed());
        QVERIFY(host->report().pid != pid);
        QVERIFY(host->start(job));
        QCOMPARE(host->sendPayloads(job, 20).done, 20U);
        host.reset();
        QVERIFY(gadget_->stop());
        gadget_ = std::make_unique<Gadget>();
    }
}

void TestFfs::controlRequests() {
    startBoth();
    const auto host = find();
    QVERIFY(host);
    unsigned char data[4096] = {};
    // What nobody knows is refused, in either direction, and leaves ep0 usable.
    QCOMPARE(host->in(0x01, data, 8), LIBUSB_ERROR_PIPE);
    QCOMPARE(host->out(0x02, data, 0), LIBUSB_ERROR_PIPE);
    QCOMPARE(host->out(kRefuseOut, data, 700), LIBUSB_ERROR_PIPE);
    QCOMPARE(host->in(kStart, data, 8), LIBUSB_ERROR_PIPE);
    // An answer shorter than the request, also when it fills its packets.
    for (const int length : {1, 63, 64, 65, 128, 512, 1024, 4096}) {
        memset(data, 0, sizeof data);
        QCOMPARE(host->in(kPattern, data, static_cast<std::uint16_t>(length)), length);
        QVERIFY(isFilled(
            std::span(reinterpret_cast<std::byte*>(data), static_cast<std::size_t>(length)), 7));
    }
    Report report;
    QCOMPARE(host->in(kAsk, &report, 8), 8);
    QCOMPARE(host->in(kPattern, nullptr, 0), LIBUSB_ERROR_PIPE);
    // Data of every length up to the most that libusb sends.
    for (const int length : {0, 1, 64, 512, 1000, 4096}) {
        memset(data, 3, sizeof data);
        QCOMPARE(host->out(kSwallow, data, static_cast<std::uint16_t>(length)), length);
        QCOMPARE(host->report().swallowed, static_cast<unsigned>(length));
        QCOMPARE(host->report().swallowedSum, static_cast<unsigned>(3 * length));
    }
    // To an interface that is not there: FunctionFS never sees it, and it must not hang.
    QCOMPARE(libusb_control_transfer(host->handle(), 0xc1, kAsk, 0, 9, data, 8, 1000),
             LIBUSB_ERROR_PIPE);
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 200; ++i)
        QCOMPARE(host->in(kAsk, &report, sizeof report), static_cast<int>(sizeof report));
    qInfo("200 status requests in %lld ms", timer.elapsed());
}

void TestFfs::controlRequestsTakenBack() {
    startBoth();
    const auto host = find();
    QVERIFY(host);
    // Unchecked: every round sends from the beginning.
    const Job job{.echo = 1, .receiveCount = 1000, .size = 4096, .check = 0, .depth = 8};
    QVERIFY(host->start(job));
    unsigned char data[512];
    for (int round = 0; round < 5; ++round) {
        // The gadget answers when the host has long given up: its write waits for nobody.
        QCOMPARE(host->in(kSlow, data, sizeof data, 150, 50), LIBUSB_ERROR_TIMEOUT);
        QThread::msleep(200);
        // Meanwhile payloads flow.
        QCOMPARE(host->sendPayloads(job, 10).done, 10U);
        QByteArray message(64, static_cast<char>(round));
        QByteArray answer(host->messagePacketBytes() == 64 ? 64 : 4096, 0);
        QCOMPARE(host->sendMessage(message), 64);
        QCOMPARE(host->receiveMessage(answer), 64);
        QCOMPARE(answer, message);
        // And the next request is answered, with its own answer.
        memset(data, 0, sizeof data);
        QCOMPARE(host->in(kPattern, data, 100), 100);
        QVERIFY(isFilled(std::span(reinterpret_cast<std::byte*>(data), 100), 7));
        QCOMPARE(host->in(kSlow, data, 64, 100, 20), LIBUSB_ERROR_TIMEOUT);
        QCOMPARE(host->in(kPattern, data, 100, 0, 2000), 100);
        QVERIFY(isFilled(std::span(reinterpret_cast<std::byte*>(data), 100), 7));
    }
    // Nobody asks again: the gadget gives up by itself.
    QCOMPARE(host->in(kSlow, data, sizeof data, 150, 50), LIBUSB_ERROR_TIMEOUT);
    QThread::msleep(2500);
    QVERIFY(host->report().pid != 0);
    QCOMPARE(host->report().linksDown, 0U);
}

void TestFfs::twoGadgets() {
    startBoth();
    Gadget second;
    // No UDC named: it takes the free one.
    QVERIFY2(second.start(QStringLiteral("two"), QString(), QStringLiteral("lend")),
             second.errors().constData());
    QVERIFY(second.ready().contains("dummy_udc.1"));
    const auto one = find();
    const auto two = Host::find("two", Kind::Lend);
    QVERIFY(one && two);
    const Job job{.receiveCount = 50, .sendCount = 50, .size = 30000, .vary = 1, .depth = 4};
    QVERIFY(one->start(job));
    QVERIFY(two->start(job));
    auto other = std::async(std::launch::async, [&] { return two->sendPayloads(job, 50); });
    QCOMPARE(one->sendPayloads(job, 50).done, 50U);
    QCOMPARE(other.get().done, 50U);
    second.kill();
    QCOMPARE(one->receivePayloads(job, 50).done, 50U);
    QCOMPARE(one->report().disabled, 0U);
    QVERIFY(waitFor(*one, [](const Report& r) { return r.received == 50 && r.wrong == 0; }));
    // Its next life takes over and leaves in order.
    Gadget third;
    QVERIFY(third.start(QStringLiteral("two"), QStringLiteral("dummy_udc.1"),
                        QStringLiteral("attach")));
    QCOMPARE(read(kGadgets + QStringLiteral("two/configs/c.1/ffs.two-lend/ready")), QByteArray());
    QVERIFY(!QFile::exists(kGadgets + QStringLiteral("two/functions/ffs.two-lend")));
    QVERIFY(Host::find("two", Kind::Attach));
    QVERIFY(third.stop());
    QVERIFY(!QFile::exists(kGadgets + QStringLiteral("two")));
    QVERIFY(QFile::exists(kGadgets + QStringLiteral("one")));
}

void TestFfs::leavesNothingBehind() {
    startBoth();
    const auto host = find();
    QVERIFY(host);
    QVERIFY(host->start({.receiveCount = 10, .sendCount = 10, .size = 100000, .depth = 10}));
    QElapsedTimer timer;
    timer.start();
    QVERIFY(gadget_->stop());
    qInfo("left in order after %lld ms", timer.elapsed());
    QVERIFY(!QFile::exists(kGadgets + QStringLiteral("one")));
    QVERIFY(!read(QStringLiteral("/proc/self/mountinfo")).contains("functionfs"));
    gadget_ = std::make_unique<Gadget>();
}

void TestFfs::refusesWhatIsNotOurs() {
    const QString lend = QStringLiteral("lend");
    startBoth();
    {
        Gadget twin;
        QVERIFY(!twin.start(QStringLiteral("one"), QString(), lend));
        QVERIFY(twin.errors().contains("run by another process"));
        Gadget busy;
        QVERIFY(!busy.start(QStringLiteral("two"), QStringLiteral("dummy_udc.0"), lend));
        QVERIFY(busy.errors().contains("dummy_udc.0 is used by gadget one"));
        Gadget lost;
        QVERIFY(!lost.start(QStringLiteral("two"), QStringLiteral("dwc9"), lend));
        QVERIFY(lost.errors().contains("There is: dummy_udc.0, dummy_udc.1"));
    }
    const QString foreign = kGadgets + QStringLiteral("two");
    QVERIFY(QDir().mkpath(foreign));
    QVERIFY(QDir().mkdir(foreign + QStringLiteral("/functions/mass_storage.0")));
    {
        Gadget intruder;
        QVERIFY(!intruder.start(QStringLiteral("two"), QString(), lend));
        QVERIFY(intruder.errors().contains("it is not ours"));
    }
    QVERIFY(QFile::exists(foreign + QStringLiteral("/functions/mass_storage.0")));
    QVERIFY(QDir().rmdir(foreign + QStringLiteral("/functions/mass_storage.0")));
    QVERIFY(QDir().rmdir(foreign));
    const auto host = find();
    QVERIFY(host);
    QCOMPARE(host->report().disabled, 0U);
}

// "--gadget NAME UDC KINDS": the gadget's process of the tests above.
static int gadgetMain(char** arguments) {
    belay::ffs::GadgetIdentity identity;
    identity.name = arguments[0];
    identity.vendorId = 0x1d6b;
    identity.productId = 0x0104;
    identity.manufacturer = "Belay";
    identity.product = "Test gadget";
    identity.serial = identity.name;
    identity.runtimeFolder = "/run/belay-ffs";
    const std::string kinds = arguments[2];
    for (const Kind kind : {Kind::Lend, Kind::Attach})
        if (kinds.find(belay::ffs::name(kind)) != std::string::npos)
            identity.kinds.push_back(kind);
    return runGadget(identity, arguments[1]);
}

int main(int argc, char** argv) {
    if (argc == 5 && std::string(argv[1]) == "--gadget")
        return gadgetMain(argv + 2);
    QCoreApplication application(argc, argv);
    TestFfs test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_ffs.moc"
