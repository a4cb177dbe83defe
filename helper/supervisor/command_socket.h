#pragma once

#include "helper/supervisor/channel.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace belay::helper {

// Takes commands of root from a socket in the run directory: one JSON request, one JSON answer.
class CommandServer {
 public:
    // Sends the answer; may be called later, and is harmless when the asker has gone.
    using Reply = std::function<void(const Json& answer)>;
    using Handler = std::function<void(const Json& request, Reply reply)>;

    // Listens at `path`, in place of whatever is there. The directory must exist.
    static Result<std::unique_ptr<CommandServer>> listen(Ring& ring, const std::string& path,
                                                         Handler handler);
    ~CommandServer();
    CommandServer(const CommandServer&) = delete;
    CommandServer& operator=(const CommandServer&) = delete;

 private:
    CommandServer(Ring& ring, Fd socket, std::string path, Handler handler);
    void accept();

    Ring& ring_;
    Fd socket_;
    std::string path_;
    Handler handler_;
    std::unique_ptr<FdWatch> watch_;
    std::map<std::uint64_t, std::unique_ptr<Channel>> clients_;
    std::uint64_t nextClient_ = 1;
};

// The other end, for a program that asks one thing and waits for the answer.
Result<Json> askCommand(const std::string& path, const Json& request);

}  // namespace belay::helper
