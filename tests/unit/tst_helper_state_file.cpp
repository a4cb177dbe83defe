#include "helper/supervisor/state_file.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace belay;
using namespace belay::helper;

namespace {

DeviceRecord sampleRecord(std::uint32_t device) {
    DeviceRecord record;
    record.device = DeviceId(device);
    record.info.id = ExportId(4);
    record.info.blockSize = 4096;
    record.info.sizeBytes = std::uint64_t{1} << 40;
    record.info.readOnly = true;
    record.info.canDiscard = true;
    record.info.uuid.bytes[0] = 0xfe;
    record.info.generation = ~std::uint64_t{0};
    record.info.verifier = Verifier(0x8000'0000'0000'0001);
    record.info.label = "Fotos \"2024\"\n";
    record.maxIo = 1 << 20;
    record.depth = 63;
    record.recoveries = 7;
    record.policy = {lifecycle::PolicyKind::WaitLimited, std::chrono::seconds(90)};
    record.lifecycle.state = lifecycle::State::NeedsAttention;
    record.lifecycle.problems = {lifecycle::Problem::DifferentDisk,
                                 lifecycle::Problem::KernelRefused};
    record.lifecycle.since = TimePoint(std::chrono::seconds(12345));
    record.lifecycle.heldSince = TimePoint(std::chrono::seconds(12340));
    record.explanation = "another disk has taken its place";
    return record;
}

}  // namespace

class HelperStateFileTest : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void noFileIsNoRecords();
    void keepsEverything();
    void replacesAsAWhole();
    void setsAside_data();
    void setsAside();
    void setsAsideAgainWithoutOverwriting();
    void everyTruncationIsNoticed();
    void cannotBeSaved();
    void removed();

 private:
    QByteArray read(const QString& name) const {
        QFile file(dir_->filePath(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    void write(const QByteArray& text) const {
        QFile file(dir_->filePath("state"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(text), text.size());
    }
    bool exists(const QString& name) const { return QFile::exists(dir_->filePath(name)); }
    StateFile file() const { return StateFile(dir_->filePath("state").toStdString()); }

    std::unique_ptr<QTemporaryDir> dir_;
};

void HelperStateFileTest::init() {
    dir_ = std::make_unique<QTemporaryDir>();
    QVERIFY(dir_->isValid());
}

void HelperStateFileTest::noFileIsNoRecords() {
    QVERIFY(file().load().empty());
    QVERIFY(!exists("state.bad"));
}

void HelperStateFileTest::keepsEverything() {
    const std::vector<DeviceRecord> records = {sampleRecord(0), sampleRecord(7)};
    QVERIFY(file().save(records));
    QVERIFY(file().load() == records);
    QVERIFY(!exists("state.new"));
    QCOMPARE(QFile::permissions(dir_->filePath("state")) &
                 (QFile::ReadGroup | QFile::ReadOther | QFile::WriteGroup | QFile::WriteOther),
             QFile::Permissions());
}

void HelperStateFileTest::replacesAsAWhole() {
    QVERIFY(file().save({sampleRecord(0), sampleRecord(1)}));
    QVERIFY(file().save({sampleRecord(2)}));
    QVERIFY(file().load() == std::vector{sampleRecord(2)});
    QVERIFY(file().save({}));
    QVERIFY(file().load().empty());
    QVERIFY(!exists("state.bad"));
}

void HelperStateFileTest::setsAside_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("zeroes") << QByteArray(4096, '\0');
    QTest::newRow("no json") << QByteArray("belay");
    QTest::newRow("no object") << QByteArray("[1]");
    QTest::newRow("null") << QByteArray("null");
    QTest::newRow("no version") << QByteArray(R"({"devices":[]})");
    QTest::newRow("other version") << QByteArray(R"({"version":2,"devices":[]})");
    QTest::newRow("version as text") << QByteArray(R"({"version":"1","devices":[]})");
    QTest::newRow("no devices") << QByteArray(R"({"version":1})");
    QTest::newRow("a number that is not whole") << QByteArray(R"({"version":1.5,"devices":[]})");
    // As it is saved, with a time to which a policy's cannot be added.
    QTemporaryDir dir;
    const StateFile sample(dir.filePath("sample").toStdString());
    QVERIFY(sample.save({sampleRecord(0)}).has_value());
    QFile saved(dir.filePath("sample"));
    QVERIFY(saved.open(QIODevice::ReadOnly));
    const QByteArray text = saved.readAll();
    for (const char* time : {"9223372036854775807", "-1"}) {
        QByteArray bad = text;
        bad.replace(R"("heldSince": 12340000000)", QByteArray(R"("heldSince": )") + time);
        QVERIFY(bad != text);
        QTest::addRow("held since %s", time) << bad;
    }
    QTest::newRow("a device without an export")
        << QByteArray(R"({"version":1,"devices":[{"device":0,"maxIo":1,"depth":1}]})");
}

void HelperStateFileTest::setsAside() {
    QFETCH(const QByteArray, text);
    write(text);
    QVERIFY(file().load().empty());
    QVERIFY(!exists("state"));
    QVERIFY(exists("state.bad"));
    QCOMPARE(read("state.bad"), text);
}

void HelperStateFileTest::setsAsideAgainWithoutOverwriting() {
    for (const char* text : {"one", "two", "three"}) {
        write(text);
        QVERIFY(file().load().empty());
    }
    QCOMPARE(read("state.bad"), QByteArray("one"));
    QCOMPARE(read("state.bad1"), QByteArray("two"));
    QCOMPARE(read("state.bad2"), QByteArray("three"));
    QVERIFY(file().save({sampleRecord(1)}));
    QVERIFY(file().load() == std::vector{sampleRecord(1)});
}

void HelperStateFileTest::everyTruncationIsNoticed() {
    QVERIFY(file().save({sampleRecord(0)}));
    const QByteArray whole = read("state");
    // All but the closing line's end belongs to the document.
    for (qsizetype length = 0; length < whole.size() - 1; ++length) {
        write(whole.left(length));
        QVERIFY(file().load().empty());
        QVERIFY(QFile::remove(dir_->filePath("state.bad")));
    }
}

void HelperStateFileTest::cannotBeSaved() {
    const StateFile nowhere(dir_->filePath("missing/state").toStdString());
    const auto saved = nowhere.save({sampleRecord(0)});
    QVERIFY(!saved);
    QCOMPARE(saved.error().code, ENOENT);
    QVERIFY(nowhere.load().empty());
}

void HelperStateFileTest::removed() {
    QVERIFY(file().save({sampleRecord(0)}));
    file().remove();
    QVERIFY(!exists("state"));
    file().remove();
}

QTEST_GUILESS_MAIN(HelperStateFileTest)
#include "tst_helper_state_file.moc"
