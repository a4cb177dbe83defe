#pragma once

#include <QJsonValue>
#include <QStringList>

namespace scenario {

// Reads what belayd has on the bus, over one connection that this program opens when it first reads
// and keeps. It may look many times a second: each look by busctl is a process, and a caller whom
// the bus and belayd have to get to know, which is most of what a small machine does then.
//
// - As with busctl, to read starts belayd if it is away, and ends within 25 seconds.
// - It asks for nothing that makes belayd take it for somebody who watches (GetManagedObjects):
//   belayd does more, and stays, as long as somebody does.
class BusReader {
 public:
    struct Reading {
        QJsonValue value;  // as busctl has it in its JSON, under "data"
        QString error;     // name and words; empty if it was read
    };

    Reading property(const QString& path, const QString& interface, const QString& name) const;
    // The paths of the objects right below `path`; none if there is no such path.
    QStringList children(const QString& path) const;
};

}  // namespace scenario
