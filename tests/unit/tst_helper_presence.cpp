#include "helper/supervisor/gadget_presence.h"

#include <QTest>

using namespace belay;
using namespace belay::helper;

// What is known of a gadget's sessions.
class HelperPresenceTest : public QObject {
    Q_OBJECT

 private slots:
    void knowsWhichDirectionsThereAre();
};

void HelperPresenceTest::knowsWhichDirectionsThereAre() {
    auto ring = Ring::create(16);
    QVERIFY(ring.has_value());
    PresenceHooks hooks;
    hooks.workerReady = [] { return false; };
    hooks.tellWorker = [](const Json&, const std::vector<int>&) {};
    hooks.changed = [] {};
    GadgetPresence presence(**ring, hooks);
    const auto told = [&](const char* direction, const char* state) {
        presence.handle(
            "session",
            {{"direction", direction}, {"state", state}, {"reason", ""}, {"protocol", "native"}});
    };
    // Nothing is known yet.
    QVERIFY(!presence.lacks("attach") && !presence.lacks("lend"));
    told("lend", "open");
    QVERIFY(presence.lacks("attach"));
    QVERIFY(!presence.lacks("lend") && presence.isOpen("lend"));
    // One whose session has ended is there.
    told("attach", "lost");
    QVERIFY(!presence.lacks("attach") && !presence.isOpen("attach"));
    presence.unplugged();
    QVERIFY(!presence.lacks("attach") && !presence.lacks("lend"));
}

QTEST_GUILESS_MAIN(HelperPresenceTest)
#include "tst_helper_presence.moc"
