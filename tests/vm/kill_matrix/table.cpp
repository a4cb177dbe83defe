#include "tests/vm/kill_matrix/table.h"

namespace kill_matrix {

QString tableOf(const std::vector<Row>& rows) {
    QString text = QString("\n%1 %2 %3 %4 %5 %6\n")
                       .arg("direction", -10)
                       .arg("process", -25)
                       .arg("stage", -22)
                       .arg("pass", -5)
                       .arg("ms", 6)
                       .arg(" state");
    for (const Row& row : rows)
        text += QString("%1 %2 %3 %4 %5  %6\n")
                    .arg(row.direction, -10)
                    .arg(row.process, -25)
                    .arg(row.stage, -22)
                    .arg(row.passed ? "yes" : "NO", -5)
                    .arg(row.ms < 0 ? QString("-") : QString::number(row.ms), 6)
                    .arg(row.state);
    return text;
}

}  // namespace kill_matrix
