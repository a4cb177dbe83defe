#include "core/lifecycle/policy.h"
#include "core/lifecycle/state.h"
#include "dbus/events.h"

#include <QtCore/QDir>
#include <QtCore/QFile>
#include <QtCore/QXmlStreamReader>
#include <QtTest/QTest>
#include <algorithm>
#include <vector>

// The XML files are the only reference there is of the bus interfaces: no member may lack its
// words, no argument may go unexplained, and no value that a client can meet may go unlisted.
class TestBusDocumented : public QObject {
    Q_OBJECT

 private slots:
    void everyMemberHasItsWords_data();
    void everyMemberHasItsWords();
    void methodsEndInOptionsAndPropertiesAreReadOnly_data() { everyMemberHasItsWords_data(); }
    void methodsEndInOptionsAndPropertiesAreReadOnly();
    void everyValueIsListed();
    void everyEventIsListed();
};

namespace {

struct Argument {
    QString name;
    QString type;
    bool in = false;
};

struct Member {
    QString kind;  // the element: "interface", "method", "signal" or "property"
    QString name;
    QString access;
    QString words;  // the comment right before it
    QList<Argument> arguments;
};

QString pathOf(const QString& interface) {
    return QStringLiteral(BELAY_BUS_XML_DIR "/org.belay.%1.xml").arg(interface);
}

QList<Member> membersOf(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("cannot open %s", qPrintable(path));
    QXmlStreamReader xml(&file);
    QList<Member> members;
    QString words;
    while (!xml.atEnd()) {
        const auto token = xml.readNext();
        if (token == QXmlStreamReader::Comment) {
            words = xml.text().toString().simplified();
        } else if (token == QXmlStreamReader::StartElement) {
            const QString element = xml.name().toString();
            const auto attribute = [&](const char* name) {
                return xml.attributes().value(QLatin1String(name)).toString();
            };
            if (element == QLatin1String("arg"))
                members.last().arguments.append(
                    {attribute("name"), attribute("type"), attribute("direction") == "in"});
            else if (element != QLatin1String("annotation") && element != QLatin1String("node"))
                members.append({element, attribute("name"), attribute("access"), words, {}});
            if (element != QLatin1String("node"))
                words.clear();
        }
    }
    if (xml.hasError())
        qFatal("%s: %s", qPrintable(path), qPrintable(xml.errorString()));
    return members;
}

QString wordsOf(const QString& interface, const QString& member) {
    for (const Member& each : membersOf(pathOf(interface))) {
        if (each.name == member)
            return each.words;
    }
    return {};
}

}  // namespace

void TestBusDocumented::everyMemberHasItsWords_data() {
    QTest::addColumn<QString>("path");
    const QDir dir(BELAY_BUS_XML_DIR);
    const auto files = dir.entryInfoList({QStringLiteral("*.xml")}, QDir::Files);
    QVERIFY(files.size() >= 4);
    for (const auto& file : files)
        QTest::newRow(qPrintable(file.fileName())) << file.filePath();
}

void TestBusDocumented::everyMemberHasItsWords() {
    QFETCH(QString, path);
    const auto members = membersOf(path);
    QVERIFY(members.size() > 1);
    for (const Member& member : members) {
        QVERIFY2(member.words.size() >= 10,
                 qPrintable(member.kind + " " + member.name + " has no comment before it"));
        for (const Argument& argument : member.arguments) {
            QVERIFY2(member.words.contains(argument.name + ":"),
                     qPrintable(QStringLiteral("%1: the comment says nothing of \"%2:\"")
                                    .arg(member.name, argument.name)));
        }
    }
}

void TestBusDocumented::methodsEndInOptionsAndPropertiesAreReadOnly() {
    QFETCH(QString, path);
    for (const Member& member : membersOf(path)) {
        if (member.kind == QLatin1String("property"))
            QCOMPARE(member.access, QStringLiteral("read"));
        if (member.kind != QLatin1String("method"))
            continue;
        QString last;
        for (const Argument& argument : member.arguments) {
            if (argument.in)
                last = argument.name + " " + argument.type;
        }
        QVERIFY2(last == QLatin1String("options a{sv}"), qPrintable(member.name));
    }
}

void TestBusDocumented::everyValueIsListed() {
    using namespace belay::lifecycle;
    const auto listed = [](const QString& words, std::string_view name) {
        const QString value = QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
        return words.contains(QStringLiteral(" %1 ").arg(value));
    };
    const QString states = wordsOf("Device1", "State");
    for (const auto name : kStateNames)
        QVERIFY2(listed(states, name), name.data());
    const QString problems = wordsOf("Device1", "Problems");
    for (const auto name : kProblemNames)
        QVERIFY2(listed(problems, name), name.data());
    const QString policies = wordsOf("Device1", "Policy");
    for (const auto name : kPolicyNames)
        QVERIFY2(listed(policies, name), name.data());
}

// Each kind once, with all of its details below it and before the next one.
void TestBusDocumented::everyEventIsListed() {
    using namespace belay::events;
    const auto quoted = [](std::string_view word) {
        return QStringLiteral("\"%1\"").arg(QString::fromStdString(std::string(word)));
    };
    const QString words = wordsOf("Manager1", "Event").section("Kinds, and their details:", 1);
    std::vector<qsizetype> begins;
    forEachKind([&](const auto& event) { begins.push_back(words.indexOf(quoted(event.kKind))); });
    forEachKind([&](const auto& event) {
        const qsizetype begin = words.indexOf(quoted(event.kKind));
        QVERIFY2(begin >= 0, event.kKind.data());
        qsizetype end = words.size();
        for (const qsizetype other : begins)
            if (other > begin)
                end = std::min(end, other);
        const QString own = words.mid(begin, end - begin);
        for (const auto& detail : event.kDetails)
            QVERIFY2(own.contains(quoted(detail.name)), detail.name.data());
    });
    for (const auto action : Asked::kActions)
        QVERIFY2(words.contains(quoted(action)), action.data());
    for (const auto word :
         {ProblemFound::kCannotLend, GadgetSeen::kPluggedIn, GadgetSeen::kUnplugged})
        QVERIFY2(words.contains(quoted(word)), word.data());
}

QTEST_APPLESS_MAIN(TestBusDocumented)
#include "tst_bus_documented.moc"
