#include "core/lifecycle/state.h"
#include "helper/service/ring_driver.h"
#include "tests/bus/harness.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <QtCore/QCoreApplication>
#include <QtCore/QElapsedTimer>
#include <QtCore/QTimer>
#include <QtTest/QTest>

using namespace belay;
using namespace std::chrono_literals;

// The ring inside Qt's event loop.
class TestBusRing : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();

    void timersAreDue();
    void earlierTimersGoFirst();
    void watchesAreHeard();
    void whatQtPreparesIsSubmitted();
    void bothLoopsGoOn();
    void nothingToDoCostsNothing();

 private:
    std::unique_ptr<Ring> ring_;
    std::unique_ptr<service::RingDriver> driver_;
};

void TestBusRing::init() {
    auto ring = Ring::create(32, {}, Ring::Loop::Other);
    QVERIFY(ring.has_value());
    ring_ = std::move(*ring);
    auto driver = service::RingDriver::create(*ring_);
    QVERIFY(driver.has_value());
    driver_ = std::move(*driver);
}

void TestBusRing::cleanup() {
    driver_.reset();
    ring_.reset();
}

void TestBusRing::timersAreDue() {
    QElapsedTimer timer;
    timer.start();
    qint64 called = -1;
    ring_->callAfter(50ms, [&] { called = timer.elapsed(); });
    QVERIFY(test::spinUntil([&] { return called >= 0; }));
    QVERIFY2(called >= 49, qPrintable(QString::number(called)));
}

void TestBusRing::earlierTimersGoFirst() {
    std::vector<int> order;
    ring_->callAfter(60s, [&] { order.push_back(60); });
    // Asked for while the loop sleeps until the later one.
    QTimer::singleShot(20, [&] { ring_->callAfter(20ms, [&] { order.push_back(20); }); });
    QVERIFY(test::spinUntil([&] { return order == std::vector{20}; }));
}

void TestBusRing::watchesAreHeard() {
    int ends[2];
    QCOMPARE(::pipe(ends), 0);
    int heard = 0;
    FdWatch watch(*ring_, ends[0], POLLIN, [&](std::uint32_t) {
        char byte = 0;
        heard += static_cast<int>(::read(ends[0], &byte, 1));
    });
    QTimer::singleShot(20, [&] { QCOMPARE(::write(ends[1], "abc", 3), 3); });
    QVERIFY(test::spinUntil([&] { return heard == 3; }));
    ::close(ends[0]);
    ::close(ends[1]);
}

void TestBusRing::whatQtPreparesIsSubmitted() {
    struct Nop final : Operation {
        bool done = false;
        void complete(int, std::uint32_t) override { done = true; }
    } nop;
    bool last = false;
    QTimer::singleShot(10, [&] {
        ring_->prepare(&nop);
        ring_->callAtEndOfTurn([&] { last = true; });
    });
    QVERIFY(test::spinUntil([&] { return nop.done && last; }));
}

void TestBusRing::bothLoopsGoOn() {
    int ring = 0;
    int qt = 0;
    std::function<void()> again = [&] {
        ++ring;
        ring_->callAfter(1ms, again);
    };
    again();
    QTimer timer;
    QObject::connect(&timer, &QTimer::timeout, [&] { ++qt; });
    timer.start(1);
    QVERIFY(test::spinUntil([&] { return ring > 50 && qt > 50; }));
}

void TestBusRing::nothingToDoCostsNothing() {
    const auto used = [] {
        timespec time{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return time.tv_sec * 1'000'000 + time.tv_nsec / 1000;
    };
    int ends[2];
    QCOMPARE(::pipe(ends), 0);
    FdWatch watch(*ring_, ends[0], POLLIN, [](std::uint32_t) {});
    ring_->callAfter(60s, [] {});
    test::spin(10);
    const auto before = used();
    test::spin(500);
    QVERIFY2(used() - before < 20'000, qPrintable(QString::number(used() - before)));
    ::close(ends[0]);
    ::close(ends[1]);
}

QTEST_GUILESS_MAIN(TestBusRing)
#include "tst_bus_ring.moc"
