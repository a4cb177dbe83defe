#include "tests/vm/scenario/scenario.h"

#include <QDir>
#include <QTest>

using namespace scenario;

// Bytes go through unharmed, at all sizes and depths, and a file system lives on them.
class TestDataPath : public QObject {
    Q_OBJECT

 private slots:
    void keepsWhatFioWrites_data() { inBothDirections(); }
    void keepsWhatFioWrites();
    void carriesFileSystem_data() { inBothDirections(); }
    void carriesFileSystem();
};

void TestDataPath::keepsWhatFioWrites() {
    std::vector<FioJob> jobs = {
        {.pattern = "randwrite", .blocks = "4k", .depth = 1, .mib = 1},
        {.pattern = "randwrite", .blocks = "4k", .depth = 32, .mib = 6},
        {.pattern = "write", .blocks = "1M", .depth = 8, .mib = 32},
        {.pattern = "write", .blocks = "64k", .depth = 1, .mib = 8},
        {.pattern = "randwrite", .blocks = "4k-1M", .depth = 32, .mib = 32},
    };
    if (onPrivateBus() && !full())
        jobs.erase(jobs.begin() + 1, jobs.end() - 1);
    if (full())
        for (const char* pattern : {"randwrite", "write"})
            for (const QString blocks : {"4k", "16k", "64k", "256k", "1M", "4k-1M"})
                for (const int depth : {1, 2, 8, 32})
                    // As many requests as show something: small ones are slow.
                    jobs.push_back({pattern, blocks, depth, blocks == "4k" ? 8 : 32, 1});
    play([&](Rig& rig) {
        Disk& disk = rig.offer("disk", 32);
        rig.start();
        require(disk.sha256OfDevice() == disk.sha256OfStore(), "the device shows something else");
        for (const FioJob& job : jobs)
            rig.startFio(disk, job)->succeed(full() ? 600s : 60s);
        const auto hash = disk.sha256OfDevice();
        require(hash == disk.sha256OfStore(), "sha256 of device and store differ");
    });
}

void TestDataPath::carriesFileSystem() {
    play([&](Rig& rig) {
        Disk& disk = rig.offer("disk", 48);
        rig.start();
        const QString tree = full() ? "/usr/include/c++" : "/usr/include/linux";
        const QString here = rig.folder() + "/mounted";
        QDir().mkpath(here);
        rig.note("ext4 on it, a tree copied to it");
        mustRun({"mkfs.ext4", "-q", disk.node()});
        mustRun({"mount", disk.node(), here});
        mustRun({"cp", "-a", tree, here + "/tree"}, 300s);
        mustRun({"umount", here});
        mustRun({"e2fsck", "-f", "-n", disk.node()});

        rig.note("the same tree seen from the other side");
        mustRun({"mount", "-o", "loop,ro", disk.store(), here});
        const Outcome difference =
            run({"diff", "-r", "--no-dereference", tree, here + "/tree"}, 300s);
        mustRun({"umount", here});
        QDir().rmdir(here);
        require(difference.status == 0, "the trees differ: " + difference.output);
    });
}

int main(int argc, char** argv) {
    TestDataPath test;
    return runScenarios(argc, argv, test);
}

#include "tst_data_path.moc"
