#include <QtCore/QFile>
#include <QtCore/QProcess>
#include <QtCore/QTemporaryDir>
#include <QtTest/QTest>
#include <QtXml/QDomDocument>

namespace {

// What a program says, and its status; -1 if it cannot be started.
struct Said {
    int status = -1;
    QString text;
};

Said run(const QString& program, const QStringList& arguments) {
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, arguments);
    if (!process.waitForStarted() || !process.waitForFinished())
        return {-1, program + ": " + process.errorString()};
    return {process.exitCode(), QString::fromUtf8(process.readAll())};
}

QString value(const QString& path, const QString& key) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    while (!file.atEnd()) {
        const QString line = QString::fromUtf8(file.readLine()).trimmed();
        if (line.startsWith(key + '='))
            return line.mid(key.size() + 1);
    }
    return {};
}

}  // namespace

// What menus, software centres and the start of a session read, installed as a package would and
// read by those who check them.
class TestUiDesktopFiles : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase();
    void desktopFilesAreValid_data();
    void desktopFilesAreValid();
    void metainfoIsValid();
    void theyAreOneProgram();
    void everyLanguageIsThere_data();
    void everyLanguageIsThere();

 private:
    QString path(const QString& file) const { return root_.filePath("usr/" + file); }

    const QString menu_ = "share/applications/org.belay.Belay.desktop";
    // Beside the prefix if that is /usr, otherwise in it.
    QString autostart_ = "../etc/xdg/autostart/org.belay.Belay-autostart.desktop";
    const QString metainfo_ = "share/metainfo/org.belay.Belay.metainfo.xml";
    QTemporaryDir root_;
};

void TestUiDesktopFiles::initTestCase() {
    qputenv("DESTDIR", QFile::encodeName(root_.path()));
    const Said said = run(BELAY_CMAKE, {"--install", BELAY_PACKAGING_BUILD, "--prefix", "/usr"});
    qunsetenv("DESTDIR");
    QVERIFY2(said.status == 0, qPrintable(said.text));
    if (!QFile::exists(path(autostart_)))
        autostart_.remove(0, 3);
}

void TestUiDesktopFiles::desktopFilesAreValid_data() {
    QTest::addColumn<QString>("file");
    QTest::newRow("menu") << menu_;
    QTest::newRow("autostart") << autostart_;
}

void TestUiDesktopFiles::desktopFilesAreValid() {
    QFETCH(QString, file);
    const Said said = run("desktop-file-validate", {path(file)});
    QVERIFY2(said.status >= 0, qPrintable(said.text));
    QStringList complaints = said.text.split('\n', Qt::SkipEmptyParts);
    // The key is in version 1.5 of the specification; validators before 0.27 are older.
    complaints.removeIf(
        [](const QString& line) { return line.contains("contains key \"SingleMainWindow\""); });
    QVERIFY2(complaints.isEmpty(), qPrintable(complaints.join('\n')));
}

void TestUiDesktopFiles::metainfoIsValid() {
    const Said said = run("appstreamcli", {"validate", "--no-net", path(metainfo_)});
    QVERIFY2(said.status == 0, qPrintable(said.text));
    QVERIFY2(!said.text.contains("W: "), qPrintable(said.text));
    // Looks for the desktop file too.
    const Said tree = run("appstreamcli", {"validate-tree", "--no-net", root_.path()});
    QVERIFY2(tree.status == 0, qPrintable(tree.text));
    QVERIFY2(tree.text.contains("org.belay.Belay.metainfo.xml"), qPrintable(tree.text));
}

void TestUiDesktopFiles::theyAreOneProgram() {
    QCOMPARE(value(path(menu_), "Exec"), QString("belay"));
    QCOMPARE(value(path(autostart_), "Exec"), QString("belay --background"));
    for (const QString& file : {menu_, autostart_}) {
        const QString icon = value(path(file), "Icon");
        QVERIFY2(QFile::exists(path("share/icons/hicolor/scalable/apps/" + icon + ".svg")),
                 qPrintable(icon));
    }

    QFile file(path(metainfo_));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QDomDocument document;
    QVERIFY(document.setContent(&file));
    const QDomElement component = document.documentElement();
    const QString launchable = component.firstChildElement("launchable").text();
    QVERIFY2(QFile::exists(path("share/applications/" + launchable)), qPrintable(launchable));
    QCOMPARE(component.firstChildElement("provides").firstChildElement("binary").text(),
             value(path(menu_), "Exec"));
    QCOMPARE(
        component.firstChildElement("releases").firstChildElement("release").attribute("version"),
        QString(BELAY_VERSION));
}

void TestUiDesktopFiles::everyLanguageIsThere_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("key");
    for (const QString key : {"GenericName", "Comment", "Keywords"})
        QTest::addRow("menu %s", qPrintable(key)) << menu_ << key;
    QTest::newRow("autostart Comment") << autostart_ << "Comment";
}

void TestUiDesktopFiles::everyLanguageIsThere() {
    QFETCH(QString, file);
    QFETCH(QString, key);
    const QString english = value(path(file), key);
    QVERIFY(!english.isEmpty());
    for (const QString language : {"de", "es", "fr"}) {
        const QString translated = value(path(file), key + '[' + language + ']');
        QVERIFY2(!translated.isEmpty() && translated != english, qPrintable(language));
    }
}

QTEST_GUILESS_MAIN(TestUiDesktopFiles)
#include "tst_ui_desktop_files.moc"
