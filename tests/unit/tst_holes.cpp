#include <QFile>
#include <QRegularExpression>
#include <QTest>

// The table in tests/holes.md names tests that exist.
class TestHoles : public QObject {
    Q_OBJECT
 private slots:
    void namesWhatExists_data();
    void namesWhatExists();
};

namespace {

QString read(const QString& path) {
    QFile file(QString(BELAY_TESTS_FOLDER "/") + path);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

}  // namespace

void TestHoles::namesWhatExists_data() {
    QTest::addColumn<QString>("tests");
    static const QRegularExpression row(R"(^\| +(\d+) \| .* \| (.*) \|$)");
    for (const QString& line : read("holes.md").split('\n'))
        if (const auto match = row.match(line); match.hasMatch())
            QTest::addRow("%s", qPrintable(match.captured(1))) << match.captured(2);
}

void TestHoles::namesWhatExists() {
    QFETCH(QString, tests);
    for (const QString& entry : tests.split("; ")) {
        const QString where = entry.section(": ", 0, 0);
        const QStringList names = entry.section(": ", 1).split(", ");
        QVERIFY2(!names.first().isEmpty(), qPrintable(entry));
        const QString path =
            where == "sim"
                ? QString("sim/context.h")
                : QString("%1/tst_%2.cpp").arg(where.section('.', 0, 0), where.section('.', 1));
        const QString source = read(path);
        QVERIFY2(!source.isEmpty(), qPrintable(path));
        for (const QString& name : names) {
            const QRegularExpression use("\\b" + name + (where == "sim" ? "," : "\\("));
            QVERIFY2(source.contains(use), qPrintable(path + ": " + name));
        }
    }
}

QTEST_GUILESS_MAIN(TestHoles)
#include "tst_holes.moc"
