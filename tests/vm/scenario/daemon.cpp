#include "tests/vm/scenario/daemon.h"

#include "helper/supervisor/command_socket.h"

#include <signal.h>

#include <QFile>

namespace scenario {

Daemon::Daemon(const QString& name, QString program, QString runDir, const QString& log)
    : path_(std::move(program)), runDir_(std::move(runDir)), program_(name, log) {}

Daemon::~Daemon() {
    Daemon::forceEnd();
}

void Daemon::forceEnd() {
    for (int i = 0; i < 2 && program_.running(); ++i) {
        ::kill(program_.pid(), SIGTERM);
        waitUntil([this] { return !program_.running(); }, 5s);
    }
}

void Daemon::start(const QStringList& options) {
    options_ = options;
    program_.start(path_, QStringList{"--run-dir", runDir_, "--verbose"} + options);
}

void Daemon::end(Milliseconds limit) {
    program_.signal(SIGTERM);
    const int status = program_.finish(limit);
    require(status == 0, QString("%1 left with status %2").arg(name()).arg(status));
}

void Daemon::endWhenReady() {
    worker();
    end();
}

std::vector<pid_t> Daemon::workers() {
    std::vector<pid_t> found;
    const auto known = [&] {
        found.clear();
        if (const auto said = status())
            for (const auto& worker : said->at("workers"))
                if (const pid_t process = worker.at("pid"); process != 0)
                    found.push_back(process);
        return !found.empty();
    };
    require(waitUntil(known), name() + " has no worker");
    return found;
}

pid_t Daemon::worker() {
    const auto found = workers();
    require(found.size() == 1, name() + " has two workers");
    return found.front();
}

pid_t Daemon::worker(const QString& role) {
    pid_t found = 0;
    const auto known = [&] {
        const auto said = status();
        const auto workers = said ? said->at("workers") : nlohmann::json::object();
        const auto worker = workers.find(role.toStdString());
        found = worker == workers.end() ? 0 : worker->at("pid").get<pid_t>();
        return found != 0;
    };
    require(waitUntil(known), name() + " has no worker as " + role);
    return found;
}

void Daemon::killWorker() {
    const pid_t process = worker();
    ::kill(process, SIGKILL);
    require(waitUntil([=] { return isDead(process); }, kPatience, 1ms),
            name() + ": the worker does not die");
}

void Daemon::killOnlySupervisor() {
    program_.signal(SIGKILL);
    program_.finish();
}

void Daemon::killSupervisor() {
    const pid_t process = worker();
    killOnlySupervisor();
    require(waitUntil([=] { return isDead(process); }, kPatience, 1ms),
            name() + ": the worker outlives its supervisor");
}

std::optional<nlohmann::json> Daemon::status() const {
    const auto answer =
        belay::helper::askCommand(runDir_.toStdString() + "/control", {{"command", "status"}});
    return answer ? std::optional(*answer) : std::nullopt;
}

std::optional<nlohmann::json> Daemon::device(const QString& label) const {
    const auto said = status();
    if (!said)
        return std::nullopt;
    for (const auto& device : said->at("devices"))
        if (device.at("label") == label.toStdString())
            return device;
    return std::nullopt;
}

Outcome Daemon::command(const QStringList& words, Milliseconds limit) const {
    return run(QStringList{path_, "--run-dir", runDir_} + words, limit);
}

bool isDead(pid_t process) {
    QFile stat(QString("/proc/%1/stat").arg(process));
    if (!stat.open(QIODevice::ReadOnly))
        return true;
    const QByteArray text = stat.readAll();
    const QByteArray state = text.mid(text.lastIndexOf(')') + 2, 1);
    return state.isEmpty() || state == "Z" || state == "X";
}

}  // namespace scenario
