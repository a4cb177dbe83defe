#pragma once

#include <QByteArray>
#include <QString>

namespace scenario {

// One export seen from both sides: the file that has the bytes, and the block device made of it.
//
// The device is only ever opened by programs of their own: this process must not be the one that
// waits for ever.
class Disk {
 public:
    // Makes a store of random bytes.
    Disk(QString label, QString store, int mib);

    const QString& label() const { return label_; }
    const QString& store() const { return store_; }
    int mib() const { return mib_; }
    // "/dev/ublkb0"; fails before appearedAs().
    QString node() const;
    // "ublkb0"
    QString name() const { return node().mid(5); }
    bool exists() const;
    // Where the label has been seen; fails if it is another place than before.
    void appearedAs(const QString& node);
    // It was stopped: it may come back as another one.
    void leftItsPlace() { node_.clear(); }

    // Another content of the same size, in the same file. Nobody may have it open.
    void change() const;

    // Requests the kernel has finished on it, of all kinds.
    qint64 completed() const;
    // Waits until `count` more have been finished: whoever uses it is in the midst of it.
    void awaitProgress(int count) const;

    // Read through the device, past the page cache; and from the file.
    QByteArray sha256OfDevice() const;
    QByteArray sha256OfStore() const;
    // Fails, naming the first byte, unless the device shows what the store has.
    void compare() const;

 private:
    QString label_;
    QString store_;
    int mib_;
    QString node_;
};

}  // namespace scenario
