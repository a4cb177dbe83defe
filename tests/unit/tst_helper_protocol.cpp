#include "helper/protocol/export_json.h"
#include "helper/supervisor/arguments.h"

#include <QTest>

using namespace belay;
using namespace belay::helper;

namespace {

// A command line that owns its words.
struct Line {
    std::vector<std::string> words;
    Arguments arguments() {
        std::vector<char*> pointers;
        for (std::string& word : words)
            pointers.push_back(word.data());
        return Arguments(static_cast<int>(pointers.size()), pointers.data());
    }
};

wire::ExportInfo sampleExport() {
    wire::ExportInfo info;
    info.id = ExportId(0xffff'ffff);
    info.blockSize = 512;
    info.sizeBytes = ~std::uint64_t{0} - 511;
    info.canWriteZeroes = true;
    info.uuid.bytes[5] = 1;
    info.generation = std::uint64_t{1} << 63;
    info.verifier = Verifier(~std::uint64_t{0});
    info.label = "Grüße";
    return info;
}

}  // namespace

class HelperProtocolTest : public QObject {
    Q_OBJECT

 private slots:
    void argumentsInOrder();
    void argumentWithoutItsValue();
    void argumentsAtTheEnd();
    void exportThereAndBack();
    void exportLacksSomething();
    void exportInImpossibleBlocks();
    void exportOfAnotherType_data();
    void exportOfAnotherType();
};

void HelperProtocolTest::argumentsInOrder() {
    auto arguments = Line{
        {"prog", "--one", "--two", "2", "--three=3=4", "--empty=", "word",
         "rest"}}.arguments();
    QVERIFY(!arguments.flag("--two"));
    QVERIFY(!arguments.value("--two"));
    QVERIFY(arguments.flag("--one"));
    QVERIFY(!arguments.value("--tw"));
    QVERIFY(arguments.value("--two") == "2");
    QVERIFY(!arguments.flag("--three"));
    QVERIFY(!arguments.value("--thre"));
    QVERIFY(arguments.value("--three") == "3=4");
    QVERIFY(arguments.value("--empty") == "");
    QVERIFY(arguments.peek() == "word");
    QVERIFY((arguments.rest() == std::vector<std::string>{"word", "rest"}));
    QVERIFY(!arguments.atEnd());
    QVERIFY(arguments.failed().empty());
}

void HelperProtocolTest::argumentWithoutItsValue() {
    auto arguments = Line{{"prog", "--file"}}.arguments();
    QVERIFY(!arguments.value("--file"));
    QVERIFY(arguments.failed() == "--file needs a value");
}

void HelperProtocolTest::argumentsAtTheEnd() {
    auto arguments = Line{{"prog"}}.arguments();
    QVERIFY(arguments.atEnd());
    QVERIFY(!arguments.flag("--x"));
    QVERIFY(!arguments.value("--x"));
    QVERIFY(arguments.rest().empty());
}

void HelperProtocolTest::exportThereAndBack() {
    QVERIFY(exportFromJson(toJson(sampleExport())) == sampleExport());
    // Also as text: numbers of 64 bits must not become floating point.
    QVERIFY(exportFromJson(Json::parse(toJson(sampleExport()).dump())) == sampleExport());
}

void HelperProtocolTest::exportLacksSomething() {
    const Json whole = toJson(sampleExport());
    QCOMPARE(whole.size(), 11u);
    for (const auto& [key, value] : whole.items()) {
        Json part = whole;
        part.erase(key);
        if (key == "ready") {
            // Of a session; what an earlier version has kept does not say it.
            QVERIFY(exportFromJson(part).ready);
            continue;
        }
        QVERIFY_THROWS_EXCEPTION(Json::exception, exportFromJson(part));
    }
}

void HelperProtocolTest::exportInImpossibleBlocks() {
    for (const std::uint32_t size : {0U, 256U, 1000U, 131072U}) {
        Json json = toJson(sampleExport());
        json["blockSize"] = size;
        QVERIFY_THROWS_EXCEPTION(Json::exception, exportFromJson(json));
    }
}

void HelperProtocolTest::exportOfAnotherType_data() {
    QTest::addColumn<QString>("key");
    const Json whole = toJson(sampleExport());
    for (const auto& [key, value] : whole.items())
        QTest::newRow(key.c_str()) << QString::fromStdString(key);
}

void HelperProtocolTest::exportOfAnotherType() {
    QFETCH(const QString, key);
    Json changed = toJson(sampleExport());
    changed[key.toStdString()] = Json::array();
    QVERIFY_THROWS_EXCEPTION(Json::exception, exportFromJson(changed));
    changed = toJson(sampleExport());
    changed["uuid"] = "not a uuid";
    QVERIFY_THROWS_EXCEPTION(Json::exception, exportFromJson(changed));
}

QTEST_GUILESS_MAIN(HelperProtocolTest)
#include "tst_helper_protocol.moc"
