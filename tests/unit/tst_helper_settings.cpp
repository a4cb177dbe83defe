#include "core/lifecycle/state.h"
#include "helper/supervisor/settings.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace belay;
using namespace belay::helper;

// What belayd keeps over reboots.
class HelperSettingsTest : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void noFileIsNothingKnown();
    void keepsEverything();
    void knowsLendsOfTheFirstVersions();
    void writesOnlyWhatHasChanged();
    void setsAside_data();
    void setsAside();

 private:
    QString path() const { return dir_->filePath("settings.json"); }
    Settings settings() const { return Settings(path().toStdString()); }
    QByteArray text() const {
        QFile file(path());
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    void write(const QByteArray& content) const {
        QFile file(path());
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(content), content.size());
    }

    std::unique_ptr<QTemporaryDir> dir_;
};

namespace {

GadgetSettings sampleGadget() {
    GadgetSettings gadget;
    gadget.name = "Phone \"one\"";
    gadget.manufacturer = "Some & Co";
    gadget.serial = "4711";
    gadget.port = "1-2.3";
    gadget.vendorId = 0x1d6b;
    gadget.productId = 0xffff;
    gadget.autoAttach = true;
    gadget.lends = {{"/srv/a.img", "tools", true}, {"/srv/b c.img", "", false, 4096}};
    return gadget;
}

}  // namespace

void HelperSettingsTest::init() {
    dir_ = std::make_unique<QTemporaryDir>();
    QVERIFY(dir_->isValid());
}

void HelperSettingsTest::noFileIsNothingKnown() {
    Settings fresh = settings();
    fresh.load();
    QVERIFY(fresh.gadgets.empty());
    QVERIFY(fresh.policies.empty());
    fresh.save();
    QVERIFY(!QFile::exists(path() + ".bad"));
}

void HelperSettingsTest::keepsEverything() {
    const Uuid uuid = Uuid::random();
    const lifecycle::Policy policy{lifecycle::PolicyKind::WaitLimited, std::chrono::seconds(90)};
    Settings before = settings();
    before.gadgets["1d6b_ffff_4711"] = sampleGadget();
    before.gadgets["other"] = {};
    before.policies[uuid] = policy;
    before.save();

    Settings after = settings();
    after.load();
    QCOMPARE(after.gadgets.size(), 2U);
    QVERIFY(after.gadgets.at("1d6b_ffff_4711") == sampleGadget());
    QVERIFY(after.gadgets.at("other") == GadgetSettings());
    QCOMPARE(after.policies.size(), 1U);
    QVERIFY(after.policies.at(uuid) == policy);
}

namespace {

QByteArray withLend(const QByteArray& lend) {
    return "{\"version\": 1, \"policies\": [], \"gadgets\": [{\"id\": \"a\", \"name\": \"\", "
           "\"manufacturer\": \"\", \"serial\": \"\", \"port\": \"1-1\", \"vendor\": 1, "
           "\"product\": 2, \"autoAttach\": false, \"lends\": [" +
           lend + "]}]}";
}

}  // namespace

void HelperSettingsTest::knowsLendsOfTheFirstVersions() {
    write(withLend("{\"path\": \"/srv/a.img\", \"label\": \"a\", \"readOnly\": true}"));
    Settings old = settings();
    old.load();
    QCOMPARE(old.gadgets.size(), 1U);
    QVERIFY(old.gadgets.at("a").lends == (std::vector<LendSetting>{{"/srv/a.img", "a", true, 0}}));
}

void HelperSettingsTest::writesOnlyWhatHasChanged() {
    Settings kept = settings();
    kept.gadgets["a"] = sampleGadget();
    kept.save();
    QVERIFY(QFile::remove(path()));
    kept.save();
    QVERIFY(!QFile::exists(path()));
    kept.gadgets["a"].autoAttach = false;
    kept.save();
    QVERIFY(text().contains("\"autoAttach\": false"));
}

void HelperSettingsTest::setsAside_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("empty") << QByteArray("");
    QTest::newRow("cut off") << QByteArray("{\"version\": 1, \"gadgets\": [{\"id\"");
    QTest::newRow("of a later version")
        << QByteArray("{\"version\": 2, \"gadgets\": [], \"policies\": []}");
    QTest::newRow("lacks policies") << QByteArray("{\"version\": 1, \"gadgets\": []}");
    QTest::newRow("an unknown policy") << QByteArray(
        "{\"version\": 1, \"gadgets\": [], \"policies\": [{\"export\": "
        "\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\", \"policy\": \"hope\", "
        "\"seconds\": 1}]}");
    QTest::newRow("an impossible block size") << withLend(
        "{\"path\": \"/srv/a.img\", \"label\": \"a\", \"readOnly\": true, "
        "\"blockSize\": 1000}");
    QTest::newRow("no uuid") << QByteArray(
        "{\"version\": 1, \"gadgets\": [], \"policies\": [{\"export\": \"x\", \"policy\": "
        "\"wait\", \"seconds\": 1}]}");
}

void HelperSettingsTest::setsAside() {
    QFETCH(QByteArray, content);
    write(content);
    Settings fresh = settings();
    fresh.load();
    QVERIFY(fresh.gadgets.empty());
    QVERIFY(fresh.policies.empty());
    QFile kept(path() + ".bad");
    QVERIFY(kept.open(QIODevice::ReadOnly));
    QCOMPARE(kept.readAll(), content);
    // What comes after is written beside it.
    fresh.gadgets["a"] = sampleGadget();
    fresh.save();
    QVERIFY(QFile::exists(path()));
}

QTEST_GUILESS_MAIN(HelperSettingsTest)
#include "tst_helper_settings.moc"
