#include "tests/vm/hostile/host_victim.h"

#include <QTest>

using namespace hostile;

// A gadget that means ill once a session is open: it can at worst break its own device.
class TestHostileTraffic : public QObject {
    Q_OBJECT

 private slots:
    void answers();
    void beginnings();
    void checkedPayloads();
    void requests();
};

void TestHostileTraffic::answers() {
    playUnderReader({
        {"answer-unknown", "response to a request that was not sent"},
        {"answer-other-epoch", "response of another session"},
        {"answer-other-offset", "response does not echo its request"},
        {"answer-longer", "response does not echo its request"},
        {"answer-past-end", "response does not echo its request"},
        {"answer-other-op", "response does not echo its request"},
        {"answer-other-disk", "response does not echo its request"},
        {"answer-crc", "native response refused: wrong CRC"},
        {"answer-twice", "session ended"},
        {"answer-odd", "message transfer of odd length"},
        {"answer-garbage", "native response refused"},
        {"answer-never", "", true},
        {"answer-never-nor-status", "the gadget does not answer", true},
        {"payload-short", "bytes came across"},
        {"payload-long"},
        {"payload-never", "", true},
        {"stall-messages", "session ended", true},
        {"unplug", "is gone"},
    });
}

// From the first moment on: no device is made of what it offers.
void TestHostileTraffic::beginnings() {
    playAll({
        {"stall-all", "session ended", true},
        {"flood-garbage", "native response refused", true},
        {"flood-answers", "response to a request that was not sent", true},
    });
}

void TestHostileTraffic::checkedPayloads() {
    playUnderReader({{"payload-wrong-crc", "wrong checksum"}}, {"--payload-crc"});
}

void TestHostileTraffic::requests() {
    playAll({
        {"request-past-end"},
        {"request-wraps"},
        {"request-odd"},
        {"request-unknown-disk"},
        {"request-empty"},
        {"write-past-end"},
        {"write-unknown-disk"},
        {"write-empty", "write without bytes"},
        {"request-too-long", "request longer than agreed"},
        {"request-other-epoch", "request of another session"},
        {"request-twice", "request that is running already"},
        {"request-garbage", "native request refused: wrong CRC"},
        {"request-is-answer", "native request refused: wrong direction"},
        {"write-short", "bytes came across"},
        {"flood-requests", "more requests than agreed", true},
        {"flood-request-garbage", "native request refused", true},
    });
}

QTEST_GUILESS_MAIN(TestHostileTraffic)
#include "tst_hostile_traffic.moc"
