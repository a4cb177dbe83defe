#include "tests/vm/hostile/host_victim.h"

#include <QTest>

using namespace hostile;

// A gadget that means ill while a session is opened: it can at worst break its own device.
class TestHostileOpening : public QObject {
    Q_OBJECT

 private slots:
    void openings();
    void lists();
};

void TestHostileOpening::openings() {
    playAll({
        {"hello-magic", "HELLO refused: no Belay message"},
        {"hello-short", "HELLO refused: wrong length"},
        {"hello-one-byte", "HELLO refused: no Belay message"},
        {"hello-crc", "HELLO refused: wrong CRC"},
        {"hello-version", "HELLO refused: unknown version"},
        {"hello-no-transfer", "longest transfer is no multiple"},
        {"hello-odd-transfer", "longest transfer is no multiple"},
        {"hello-no-requests", "no request may be outstanding"},
        {"hello-many-exports", "number of exports is not 1 to 256"},
        {"hello-absurd", "attach: session .* opened"},
        {"hello-stall", "cannot open a session", true},
        {"hello-silent", "cannot open a session", true},
        {"open-stall", "cannot open a session", true},
        {"opened-stall", "cannot open a session", true},
        {"opened-garbage", "OPENED refused", true},
        {"opened-other-epoch", "opened another session", true},
        {"opened-never", full() ? "does not finish earlier requests" : "", true},
        {"opened-refused", "no store to serve"},
    });
}

void TestHostileOpening::lists() {
    playAll({
        {"list-stall", "cannot open a session", true},
        {"list-duplicate", "export list refused: the same export id twice"},
        {"list-too-many", "export list refused: too many exports \"?257"},
        {"list-count", "export list refused: wrong number of entries"},
        {"list-short", "export list refused: page shorter than its header"},
        {"list-crc", "export list refused: wrong CRC"},
        {"list-other-epoch", "export list refused: another epoch"},
        {"list-label", "export list refused: label is not"},
        {"list-zero-size", "export list refused: size 0"},
        {"list-odd-size", "export list refused: size is no multiple"},
        {"list-block-size", "export list refused: block size is no power of two"},
        {"list-id-0", "export list refused: export id 0"},
        {"list-huge", "export list refused: size"},
    });
}

QTEST_GUILESS_MAIN(TestHostileOpening)
#include "tst_hostile_opening.moc"
