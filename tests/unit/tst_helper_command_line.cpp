#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

// Both programs as a user meets them; paths come from CMake.
class HelperCommandLineTest : public QObject {
    Q_OBJECT

 private slots:
    void usageError_data();
    void usageError();
    void helpAndVersion_data();
    void helpAndVersion();
    void commandsNeedARunningProgram_data();
    void commandsNeedARunningProgram();
    void serialBecomesOneFolder_data();
    void serialBecomesOneFolder();

 private:
    struct Ended {
        int code;
        QString out;
        QString err;
    };
    static Ended run(const QString& program, const QStringList& words) {
        QProcess process;
        process.start(program == "belay-hostd" ? BELAY_HOSTD : BELAY_GADGET, words);
        if (!process.waitForFinished(60'000) || process.exitStatus() != QProcess::NormalExit)
            return {-1, {}, process.errorString()};
        return {process.exitCode(), QString::fromUtf8(process.readAllStandardOutput()),
                QString::fromUtf8(process.readAllStandardError())};
    }
};

void HelperCommandLineTest::usageError_data() {
    QTest::addColumn<QString>("program");
    QTest::addColumn<QStringList>("words");
    QTest::addColumn<QString>("message");
    const auto both = [](const char* name, const QStringList& words, const QString& message) {
        for (const char* program : {"belay-hostd", "belay-gadget"})
            QTest::addRow("%s: %s", program, name) << QString(program) << words << message;
    };
    both("unknown option", {"--frobnicate"}, "\"--frobnicate\"");
    both("unknown command", {"start"}, "\"start\"");
    both("half an option", {"--verb"}, "\"--verb\"");
    both("nothing to do", {}, "nothing to do");
    both("only a run-dir", {"--run-dir", "/nowhere"}, "nothing to do");
    both("run-dir without a value", {"--run-dir"}, "--run-dir needs a value");
    both("write log too small", {"--write-log", "3"}, "--write-log wants 0 (none), or 4");
    both("write log with a unit", {"--write-log", "64M"}, "--write-log wants");
    both("label before its file", {"--label", "x"}, "\"--label\"");
    both("read-only before its file", {"--read-only"}, "\"--read-only\"");
    both("stop what", {"stop"}, "stop what?");
    both("recover what", {"recover"}, "recover what?");
    both("no device", {"stop", "sda"}, "\"sda\" is no device");
    both("two devices", {"stop", "ublkb0", "ublkb1"}, "unexpected \"ublkb1\"");
    both("an option of another command", {"recover", "ublkb0", "--force"},
         "unexpected \"--force\"");
    both("attach nothing", {"attach"}, "attach what?");
    both("attach two", {"attach", "a", "b"}, "attach: unexpected \"b\"");
    both("status of one device", {"status", "ublkb0"}, "unexpected \"ublkb0\"");
    const auto row = [](const char* program, const QStringList& words, const QString& message) {
        QTest::addRow("%s %s", program, qPrintable(words.join(' ')))
            << QString(program) << words << message;
    };
    for (const char* size : {"0", "256", "1000", "8192", "4k", "", "-512"}) {
        const QString message = "--block-size wants 512, 1024, 2048 or 4096";
        row("belay-gadget", {"--share", "x", "--block-size", size}, message);
        row("belay-hostd", {"--lend", "x", QString("--block-size=%1").arg(size)}, message);
    }
    row("belay-gadget", {"--share", "x", "--block-size"}, "--block-size needs a value");
    row("belay-hostd", {"--lend", "x", "--block-size"}, "--block-size needs a value");
    both("block size before its file", {"--block-size", "512"}, "\"--block-size\"");
    both("mimic what", {"--mimic-fastboot"}, "nothing to do");
    row("belay-hostd", {"--smoo-write-back"}, "nothing to do");
    row("belay-gadget", {"--smoo-write-back"}, "\"--smoo-write-back\"");
    row("belay-gadget", {"--share"}, "--share needs a value");
    row("belay-gadget", {"--attach", "x"}, "\"--attach\"");
    row("belay-gadget", {"--lend-ready", "--vendor", "xyz"}, "\"xyz\" is no USB id");
    row("belay-gadget", {"--lend-ready", "--product", "0x12345"}, "\"0x12345\" is no USB id");
    for (const char* name : {"", ".", "..", "a/b", "../belay"})
        row("belay-gadget", {"--lend-ready", "--name", name},
            QString("\"%1\" is no name for a folder").arg(name));
    row("belay-hostd", {"--lend"}, "--lend needs a value");
    row("belay-hostd", {"--share", "x"}, "\"--share\"");
}

void HelperCommandLineTest::usageError() {
    QFETCH(const QString, program);
    QFETCH(const QStringList, words);
    QFETCH(const QString, message);
    const Ended ended = run(program, words);
    QVERIFY2(ended.code == 2, qPrintable(QString::number(ended.code) + ": " + ended.err));
    QVERIFY2(ended.err.contains(message), qPrintable(ended.err));
    QCOMPARE(ended.out, QString());
}

void HelperCommandLineTest::helpAndVersion_data() {
    QTest::addColumn<QString>("program");
    QTest::newRow("hostd") << "belay-hostd";
    QTest::newRow("gadget") << "belay-gadget";
}

void HelperCommandLineTest::helpAndVersion() {
    QFETCH(const QString, program);
    const Ended help = run(program, {"--help"});
    QCOMPARE(help.code, 0);
    QVERIFY(help.out.startsWith(program + ":"));
    for (const char* word : {"--block-size", "--run-dir", "status", "stop", "recover", "--version"})
        QVERIFY2(help.out.contains(word), word);
    const Ended version = run(program, {"--version"});
    QCOMPARE(version.code, 0);
    QCOMPARE(version.out, program + " " BELAY_VERSION "\n");
}

void HelperCommandLineTest::commandsNeedARunningProgram_data() {
    QTest::addColumn<QString>("program");
    QTest::addColumn<QStringList>("words");
    for (const char* program : {"belay-hostd", "belay-gadget"})
        for (const char* command : {"status", "status --json", "stop ublkb0",
                                    "stop /dev/ublkb0 --force", "recover 0", "attach all"})
            QTest::addRow("%s %s", program, command)
                << QString(program) << QString(command).split(' ');
}

void HelperCommandLineTest::commandsNeedARunningProgram() {
    QFETCH(const QString, program);
    QFETCH(const QStringList, words);
    const QTemporaryDir empty;
    const Ended ended = run(program, QStringList{"--run-dir", empty.path()} + words);
    QCOMPARE(ended.code, 1);
    QVERIFY2(ended.err.contains("Is it running, with the same --run-dir?"), qPrintable(ended.err));
    QVERIFY2(ended.err.contains(empty.path()), qPrintable(ended.err));
}

void HelperCommandLineTest::serialBecomesOneFolder_data() {
    QTest::addColumn<QString>("serial");
    QTest::addColumn<QString>("folder");
    const auto row = [](const QString& serial, const QString& folder) {
        QTest::newRow(qPrintable(serial)) << serial << folder;
    };
    row("My-phone_1.0", "My-phone_1.0");
    row("a b/c", "a%20b%2Fc");
    row(".", "%2E");
    row("..", "%2E.");
    row("../../etc", "%2E.%2F..%2Fetc");
    row("100%", "100%25");
    row("default", "%64efault");
    row(QString::fromUtf8("ä"), "%C3%A4");
    row(QString(64, 'x'), QString(64, 'x'));
    // Cut, and told apart by their CRC-32C.
    row(QString(65, 'x'), QString(64, 'x') + "%DB71F8EA");
    row(QString(126, '/'), QString("%2F").repeated(21) + "%%D8FAA885");
}

void HelperCommandLineTest::serialBecomesOneFolder() {
    QFETCH(const QString, serial);
    QFETCH(const QString, folder);
    const Ended ended = run("belay-hostd", {"--gadget", serial, "status"});
    QCOMPARE(ended.code, 1);
    QVERIFY2(ended.err.contains(" /run/belay-hostd/" + folder + "/control"), qPrintable(ended.err));
}

QTEST_GUILESS_MAIN(HelperCommandLineTest)
#include "tst_helper_command_line.moc"
