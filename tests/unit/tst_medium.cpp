// What is seen of a medium in its first bytes: as it is made by the programs that make file systems
// and partition tables, and as libblkid's program reads it.

#include "core/store/gpt.h"
#include "core/store/medium.h"
#include "tests/unit/store_harness.h"

#include <QProcess>
#include <QTemporaryDir>

using belay::ConstByteSpan;
using belay::store::kMediumBytes;
using belay::store::MediumContent;
using belay::store::readMedium;

class TestMedium : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> folder_;
    std::string path_;

    QString run(const QString& command) {
        QProcess shell;
        shell.setProcessChannelMode(QProcess::MergedChannels);
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("PATH", environment.value("PATH") + ":/usr/sbin:/sbin");
        shell.setProcessEnvironment(environment);
        shell.start("sh", {"-ec", command});
        shell.waitForFinished(60'000);
        const QString output = QString::fromUtf8(shell.readAll()).trimmed();
        if (shell.exitStatus() != QProcess::NormalExit || shell.exitCode() != 0)
            qFatal("failed: %s\n%s", qPrintable(command), qPrintable(output));
        return output;
    }
    MediumContent look() {
        const belay::Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        const auto content = readMedium(file.get());
        if (!content)
            qFatal("%s", content.error().message().c_str());
        return *content;
    }
    // Without the marks that people put in to read it more easily.
    static QString bare(QString id) { return id.remove('-').remove(':').toLower(); }

 private slots:
    void init() {
        folder_ = std::make_unique<QTemporaryDir>();
        path_ = folder_->filePath("disk").toStdString();
        run(QString("truncate -s 400M %1").arg(path_.c_str()));
    }

    void knowsWhatIsOnIt_data() {
        QTest::addColumn<QString>("make");
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("tag");
        QTest::newRow("ext2") << "mkfs.ext2 -q %1"
                              << "ext"
                              << "UUID";
        QTest::newRow("ext4, 1 KiB") << "mkfs.ext4 -q -b 1024 %1"
                                     << "ext"
                                     << "UUID";
        QTest::newRow("f2fs") << "mkfs.f2fs -q %1"
                              << "f2fs"
                              << "UUID";
        QTest::newRow("btrfs") << "mkfs.btrfs -q %1"
                               << "btrfs"
                               << "UUID";
        QTest::newRow("xfs") << "mkfs.xfs -q %1"
                             << "xfs"
                             << "UUID";
        QTest::newRow("swap") << "mkswap %1"
                              << "swap"
                              << "UUID";
        QTest::newRow("exfat") << "mkfs.exfat %1"
                               << "exfat"
                               << "UUID";
        QTest::newRow("ntfs") << "mkntfs -q -F -Q -s 512 -p 0 -H 255 -S 63 %1"
                              << "ntfs"
                              << "UUID";
        QTest::newRow("fat12") << "truncate -s 2M %1; mkfs.fat -F 12 %1"
                               << "fat"
                               << "UUID";
        QTest::newRow("fat16") << "truncate -s 32M %1; mkfs.fat -F 16 %1"
                               << "fat"
                               << "UUID";
        QTest::newRow("fat32") << "mkfs.fat -F 32 %1"
                               << "fat"
                               << "UUID";
        QTest::newRow("luks1") << "echo x | cryptsetup luksFormat -q --type luks1 "
                                  "--pbkdf-force-iterations 1000 %1 -"
                               << "luks"
                               << "UUID";
        QTest::newRow("luks2") << "echo x | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 "
                                  "--pbkdf-force-iterations 1000 %1 -"
                               << "luks"
                               << "UUID";
        QTest::newRow("mbr") << "echo 'label: dos\nstart=2048' | sfdisk -q %1"
                             << "mbr"
                             << "PTUUID";
        QTest::newRow("gpt") << "echo 'label: gpt\nstart=2048' | sfdisk -q %1"
                             << "gpt"
                             << "PTUUID";
    }
    void knowsWhatIsOnIt() {
        QFETCH(QString, make);
        QFETCH(QString, kind);
        QFETCH(QString, tag);
        QCOMPARE(look().name, std::string());
        run(make.replace("%1", path_.c_str()));
        const MediumContent content = look();
        const QStringList words = QString::fromStdString(content.name).split(' ');
        QCOMPARE(words.size(), 2);
        QCOMPARE(words[0], kind);
        QString id = bare(run(QString("blkid -p -o value -s %1 %2").arg(tag, path_.c_str())));
        QByteArray bytes = QByteArray::fromHex(words[1].toLatin1());
        if (kind == "luks") {
            bytes = QByteArray::fromHex(bare(QString::fromLatin1(bytes)).toLatin1());
        } else if (kind == "gpt") {
            // Its first three numbers are little-endian.
            std::reverse(bytes.begin(), bytes.begin() + 4);
            std::reverse(bytes.begin() + 4, bytes.begin() + 6);
            std::reverse(bytes.begin() + 6, bytes.begin() + 8);
        } else if (bytes.size() < 16) {
            std::reverse(bytes.begin(), bytes.end());
        }
        QCOMPARE(QString::fromLatin1(bytes.toHex()), id);
    }

    void knowsAVolumeOfLvm() {
        // As lib/format_text/layout.h has it: label in the second sector, the volume's uuid behind.
        Bytes start(kMediumBytes);
        const auto put = [&](std::size_t at, std::string_view text) {
            std::memcpy(start.data() + at, text.data(), text.size());
        };
        put(512, "LABELONE");
        put(0x218, "LVM2 001");
        put(0x220, "AbCdEfGhIjKlMnOpQrStUvWxYz012345");
        QCOMPARE(MediumContent::of(start).name,
                 "lvm " + QByteArray("AbCdEfGhIjKlMnOpQrStUvWxYz012345").toHex().toStdString());
    }

    void takesNothingFromShortOnes() {
        run(QString("mkfs.btrfs -q %1").arg(path_.c_str()));
        const Bytes start = contentOf(path_, kMediumBytes);
        QVERIFY(!MediumContent::of(start).name.empty());
        for (const std::size_t size : {0, 1, 511, 512, 0x10047})
            QCOMPARE(MediumContent::of(ConstByteSpan(start).first(size)).name, std::string());
    }

    // Serial numbers that nobody has filled in are everybody's.
    void takesNoZeroes() {
        run(QString("mkfs.ext4 -q -U clear %1").arg(path_.c_str()));
        QCOMPARE(look().name, std::string());
    }

    void noticesThatAFileSystemWasUsed() {
        run(QString("mkfs.ext4 -q %1").arg(path_.c_str()));
        const MediumContent before = look();
        QCOMPARE(look(), before);
        run(QString("tune2fs -C 5 %1").arg(path_.c_str()));
        QCOMPARE(look().name, before.name);
        QVERIFY(look().hash != before.hash);
    }
};

QTEST_GUILESS_MAIN(TestMedium)
#include "tst_medium.moc"
