#include "helper/supervisor/command_socket.h"

#include "helper/supervisor/unix_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace belay::helper {
namespace {

// How long a command may take in all: stopping a device takes up to five seconds.
constexpr int kAnswerPatienceMs = 15'000;

}  // namespace

Result<std::unique_ptr<CommandServer>> CommandServer::listen(Ring& ring, const std::string& path,
                                                             Handler handler) {
    auto socket = listenAt(path);
    if (!socket)
        return tl::make_unexpected(socket.error());
    return std::unique_ptr<CommandServer>(
        new CommandServer(ring, std::move(*socket), path, std::move(handler)));
}

CommandServer::CommandServer(Ring& ring, Fd socket, std::string path, Handler handler)
    : ring_(ring),
      socket_(std::move(socket)),
      path_(std::move(path)),
      handler_(std::move(handler)),
      watch_(std::make_unique<FdWatch>(ring, socket_.get(), POLLIN,
                                       [this](std::uint32_t) { accept(); })) {}

CommandServer::~CommandServer() {
    ::unlink(path_.c_str());
}

void CommandServer::accept() {
    Fd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection)
        return;
    const std::uint64_t client = nextClient_++;
    clients_[client] = std::make_unique<Channel>(
        ring_, std::move(connection),
        [this, client](const Json& request, std::vector<Fd>) {
            handler_(request, [this, client](const Json& answer) {
                if (const auto found = clients_.find(client); found != clients_.end())
                    found->second->send(answer);
            });
        },
        [this, client](const Error&) { clients_.erase(client); });
}

Result<Json> askCommand(const std::string& path, const Json& request) {
    const auto socket = connectTo(path);
    if (!socket)
        return tl::make_unexpected(socket.error());
    const auto question = Packet::pack(request);
    if (!question)
        return tl::make_unexpected(question.error());
    if (auto asked = Packet::send(*socket, *question); !asked)
        return tl::make_unexpected(asked.error());
    pollfd waiting{socket->get(), POLLIN, 0};
    if (::poll(&waiting, 1, kAnswerPatienceMs) <= 0)
        return errorFrom(ETIMEDOUT, "wait for the running program's answer");
    auto answer = Packet::receive(*socket);
    if (!answer)
        return tl::make_unexpected(answer.error());
    if (!*answer)
        return failure("the running program has ended");
    return std::move((*answer)->message);
}

}  // namespace belay::helper
