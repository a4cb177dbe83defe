#pragma once

#include <QString>
#include <vector>

namespace kill_matrix {

// One death and what came of it.
struct Row {
    QString direction;
    QString process;  // "host's worker"
    QString stage;
    bool passed = false;
    qint64 ms = -1;  // from the death to the next request that was finished; -1: none was needed
    QString state;   // what the device said in the end
};

// The matrix, as people read it.
QString tableOf(const std::vector<Row>& rows);

}  // namespace kill_matrix
