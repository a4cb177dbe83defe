#include "tests/vm/scenario/disk.h"

#include "tests/vm/scenario/machine.h"
#include "tests/vm/scenario/program.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <numeric>
#include <random>
#include <vector>

namespace scenario {

Disk::Disk(QString label, QString store, int mib)
    : label_(std::move(label)), store_(std::move(store)), mib_(mib) {
    require(QDir().mkpath(QFileInfo(store_).path()), "cannot make the folder of " + store_);
    QFile file(store_);
    require(file.open(QIODevice::WriteOnly | QIODevice::Truncate), "cannot make " + store_);
    std::mt19937_64 random(std::random_device{}());
    std::vector<std::uint64_t> mebibyte((1 << 20) / sizeof(std::uint64_t));
    for (int i = 0; i < mib_; ++i) {
        std::generate(mebibyte.begin(), mebibyte.end(), [&] { return random(); });
        require(file.write(reinterpret_cast<const char*>(mebibyte.data()), 1 << 20) == 1 << 20,
                "cannot fill " + store_);
    }
}

void Disk::change() const {
    mustRun(
        {"dd", "if=/dev/urandom", "of=" + store_, "bs=4k", "count=1", "seek=9", "conv=notrunc"});
}

QString Disk::node() const {
    require(!node_.isEmpty(), label_ + " is not there yet");
    return node_;
}

bool Disk::exists() const {
    return QFile::exists("/sys/block/" + name());
}

void Disk::appearedAs(const QString& node) {
    require(node_.isEmpty() || node_ == node,
            QString("%1 was %2 and has become %3").arg(label_, node_, node));
    node_ = node;
}

qint64 Disk::completed() const {
    // reads, writes, discards and flushes: fields 1, 5, 12 and 16 of
    // Documentation/block/stat.rst
    const QList<QByteArray> fields =
        readFile("/sys/block/" + name() + "/stat").simplified().split(' ');
    require(fields.size() >= 17, "no counters of " + name());
    return fields[0].toLongLong() + fields[4].toLongLong() + fields[11].toLongLong() +
           fields[15].toLongLong();
}

void Disk::awaitProgress(int count) const {
    const qint64 goal = completed() + count;
    require(waitUntil([&] { return completed() >= goal; }, kPatience, 1ms),
            QString("%1: no %2 requests finished in %3 s")
                .arg(label_)
                .arg(count)
                .arg(kPatience.count() / 1000));
}

QByteArray Disk::sha256OfDevice() const {
    return mustRun({"sh", "-c", "dd if=" + node() + " bs=1M iflag=direct status=none | sha256sum"})
        .left(64);
}

QByteArray Disk::sha256OfStore() const {
    return mustRun({"sha256sum", store_}).left(64);
}

void Disk::compare() const {
    const Outcome outcome =
        run({"sh", "-c",
             QString("dd if=%1 bs=1M iflag=direct status=none | cmp - %2").arg(node(), store_)});
    require(
        outcome.status == 0,
        QString("%1 differs from its store: %2").arg(label_, QString::fromUtf8(outcome.output)));
}

}  // namespace scenario
