#include "helper/supervisor/gadget_presence.h"

#include <QTest>

using namespace belay;
using namespace belay::helper;

// What is known of a gadget's sessions, each of which is another worker's.
class HelperPresenceTest : public QObject {
    Q_OBJECT

 private slots:
    void knowsEachWorkersSession();
    void knowsWhetherAnythingIsShared();
};

namespace {

struct Bench {
    Bench() : ring(std::move(*Ring::create(16))), presence(*ring, hooks()) {}
    static PresenceHooks hooks() {
        PresenceHooks hooks;
        hooks.workerReady = [](WorkerRole) { return false; };
        hooks.tellWorker = [](WorkerRole, const Json&, const std::vector<int>&) {};
        hooks.changed = [] {};
        return hooks;
    }
    void told(WorkerRole role, const char* state) {
        presence.handle(role, "session",
                        {{"state", state}, {"reason", "because"}, {"protocol", "native"}});
    }
    std::string link() const {
        GadgetView view;
        presence.fill(view);
        return view.link;
    }

    std::unique_ptr<Ring> ring;
    GadgetPresence presence;
};

}  // namespace

void HelperPresenceTest::knowsEachWorkersSession() {
    Bench bench;
    bench.presence.plugged({});
    QCOMPARE(bench.link(), std::string("connecting"));
    bench.told(WorkerRole::Target, "open");
    QVERIFY(bench.presence.isOpen(WorkerRole::Target));
    QVERIFY(!bench.presence.isOpen(WorkerRole::Initiator));
    bench.told(WorkerRole::Initiator, "lost");
    QCOMPARE(bench.link(), std::string("open"));
    // The end of one worker says nothing of the other's.
    bench.presence.workerDied(WorkerRole::Target);
    QVERIFY(!bench.presence.isOpen(WorkerRole::Target));
    QCOMPARE(bench.link(), std::string("trouble"));
    bench.told(WorkerRole::Initiator, "open");
    QCOMPARE(bench.link(), std::string("open"));
    bench.presence.unplugged();
    QVERIFY(!bench.presence.isOpen(WorkerRole::Initiator));
    QCOMPARE(bench.link(), std::string("absent"));
}

void HelperPresenceTest::knowsWhetherAnythingIsShared() {
    Bench bench;
    // Nothing is known of one that is not there.
    QVERIFY(!bench.presence.sharesNothing());
    usb::Gadget gadget;
    gadget.lend.emplace();
    bench.presence.plugged(gadget);
    QVERIFY(bench.presence.sharesNothing());
    gadget.attach.emplace();
    bench.presence.plugged(gadget);
    QVERIFY(!bench.presence.sharesNothing());
}

QTEST_GUILESS_MAIN(HelperPresenceTest)
#include "tst_helper_presence.moc"
