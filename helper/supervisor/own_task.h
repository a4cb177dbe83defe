#pragma once

#include "core/base/bytes.h"
#include "core/base/ring.h"
#include "helper/supervisor/child.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// A piece of work that may hang in the kernel, in a process of its own that nobody waits for: this
// program with a hidden argument (own_process.h). It gets bytes and answers bytes.
//
// - It is done when the process has closed its end of the answer's pipe. To end may take longer: if
//   it is the last to close a disk, it writes back what others wrote.
// - Waits for as long as it takes: a process that is killed in the midst of reading a disk holds,
// on
//   its way out, a lock that everybody needs who opens that disk, until the read is over.
// - Destroying the task abandons the process.
class OwnTask {
 public:
    struct Work {
        // The first is what the process calls itself.
        std::vector<std::string> args;
        // Fits into a pipe: it can be written before anybody reads.
        std::vector<std::byte> input;
        // More is an error.
        std::size_t longestAnswer = 0;
    };
    // Once, from the ring: what it wrote, which is nothing or a part if it died.
    using Callback = std::function<void(Result<std::vector<std::byte>> answer)>;

    OwnTask(Ring& ring, Work work, Callback callback);
    ~OwnTask();
    OwnTask(const OwnTask&) = delete;
    OwnTask& operator=(const OwnTask&) = delete;

    // In the process.
    static Result<std::vector<std::byte>> readInput(std::size_t longest);
    // The last thing that it does.
    static Result<void> writeAnswer(ConstByteSpan answer);

 private:
    Result<void> start(Work work);
    void readable();
    void finish(Result<std::vector<std::byte>> answer);

    Ring& ring_;
    Callback callback_;
    std::size_t longestAnswer_;
    std::vector<std::byte> answer_;
    Fd pipe_;
    std::unique_ptr<FdWatch> watch_;
    std::unique_ptr<Child> child_;
    std::optional<Ring::TimerId> failed_;
};

}  // namespace belay::helper
