#include "tests/vm/scenario/private_bus.h"

#include "tests/vm/scenario/failure.h"

#include <unistd.h>

#include <QCoreApplication>
#include <QTest>
#include <vector>

namespace scenario {

bool onPrivateBus() {
    return qEnvironmentVariableIsSet("BELAY_BUS_PID");
}

void moveToPrivateBus(int argc, char** argv) {
    if (onPrivateBus())
        return;
    qputenv("BELAYD", BELAYD_PROGRAM);
    qputenv("BELAY_HOSTD", BELAY_HOSTD);
    std::vector<char*> words{const_cast<char*>(PRIVATE_BUS)};
    words.insert(words.end(), argv, argv + argc);
    words.push_back(nullptr);
    ::execv(PRIVATE_BUS, words.data());
    qFatal("%s cannot be started", PRIVATE_BUS);
}

int runScenarios(int argc, char** argv, QObject& test) {
    std::vector<char*> words(argv, argv + argc);
    if (argc > 1 && qstrcmp(argv[1], "bus") == 0) {
        moveToPrivateBus(argc, argv);
        words.erase(words.begin() + 1);
    }
    if (words.size() > 1 && qstrcmp(words[1], "brief") == 0)
        words.erase(words.begin() + 1, full() ? words.end() : words.begin() + 2);
    int count = static_cast<int>(words.size());
    words.push_back(nullptr);
    QCoreApplication application(count, words.data());
    return QTest::qExec(&test, count, words.data());
}

}  // namespace scenario
