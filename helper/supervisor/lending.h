#pragma once

#include "core/base/ring.h"
#include "core/base/uuid.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/fleet.h"
#include "helper/supervisor/offered_file.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// A file that is lent to a gadget.
struct LentStore {
    std::uint32_t id = 0;  // the worker's name for it
    std::shared_ptr<OfferedFile> file;
    // For a worker that is about to come.
    std::optional<OfferedFile::ForWorker> forWorker;
    std::string name;  // what is shown: its path, as far as that is known
    std::string label;
    bool readOnly = false;
    bool always = false;               // lent again after a restart
    std::uint32_t askedBlockSize = 0;  // as LendTerms

    // As its store says; nil before it was open for the first time.
    Uuid uuid;
    std::uint64_t sizeBytes = 0;
    std::uint32_t blockSize = 0;  // stays what it was when it was open for the first time

    bool handedOver =
        false;               // the present worker has it, or is about to open it or to let go of it
    bool open = false;       // the present worker has it
    bool inSession = false;  // and the open session was opened with it
    bool ending = false;
    bool leaving = false;  // and the worker takes no more requests for it
    lifecycle::State state = lifecycle::State::Starting;
    std::string explanation;
    std::uint64_t sinceUs = 0;  // realtime clock
    std::uint32_t recoveries = 0;
    Json report;  // the worker's last
    std::function<void(Result<std::uint32_t> store)> opened;
    std::vector<FleetInterface::Done> stopping;
};

struct LendingHooks {
    std::function<void(const Json& message, const std::vector<int>& fds)> tellWorker;
    std::function<void()> killWorker;
    // A file is open, and no worker is there.
    std::function<void()> needsWorker;
    // Of a store that has been open once.
    std::function<void(const LentStore& store)> changed;
    std::function<void(const LentStore& store)> gone;
    // needWorker() may have become false.
    std::function<void()> settled;
};

// The files lent to one gadget, over the deaths of the target's workers.
//
// - What is lent stays the same file, even if another one has its name by now.
// - A disk that is pulled out and comes back is lent again, under whatever name.
// - A worker that outlived an earlier life of ours tells what it has; its witnesses are asked for.
// - A store that is taken back and hangs is left behind: its worker, which others may need, waits
//   alone for the last requests.
class Lending {
 public:
    // `records` is the fleet's.
    Lending(Ring& ring, ContentRecords& records, LendingHooks hooks);
    ~Lending();
    Lending(const Lending&) = delete;
    Lending& operator=(const Lending&) = delete;

    // Opens what has the name, or if there is a `file`, that; and has it opened by the worker.
    // `file` need not be writable if it is lent read-only; else EACCES. ETIMEDOUT if its file
    // system does not answer, or there is no worker, unless whoever asks is `patient`.
    void lend(Fd file, const std::string& name, const LendTerms& terms, bool always, bool patient,
              std::function<void(Result<std::uint32_t> store)> done);
    // What is lent under this name, by a worker that outlived an earlier supervisor, is lent always
    // from now on. False if nothing is.
    bool keepAlways(const std::string& name, bool readOnly);
    // EBUSY while requests are under way, unless `force`.
    void stop(std::uint32_t store, bool force, FleetInterface::Done done);

    // Whether there is something for a worker to do.
    bool needWorker() const;
    // One is about to start: opens the files for it.
    void prepare();
    // `has`: the stores that it has already, because it outlived an earlier supervisor. What was
    // to be lent and is among them is taken up, not lent twice. `leaving`: the numbers of those
    // that were left behind.
    void workerReady(const Json& has, const Json& leaving);
    void workerDied();
    void workerKeepsDying();
    // A session with the gadget is open, or none is. It has the stores that are open now; said
    // again when it has those that came later.
    void sessionChanged(bool open);
    // False if the message is not about stores. `fds`: what came with it.
    bool handle(const std::string& type, const Json& message, std::vector<Fd>& fds);
    void reported(const Json& stores);

    const std::map<std::uint32_t, LentStore>& stores() const { return stores_; }
    // Neither is anything lent, nor was anything left behind.
    bool isIdle() const { return stores_.empty() && left_.empty(); }
    // Null if there is none.
    const LentStore* find(std::uint32_t id) const;

 private:
    void open(LentStore& store);
    void opened(const OfferedFile* file, Result<OfferedFile::ForWorker> forWorker);
    void handOver(LentStore& store);
    LentStore* storeOf(const OfferedFile* file);
    LentStore* storeOf(const std::weak_ptr<OfferedFile>& file);
    void refresh(LentStore& store);
    void takeUp(const Json& has);
    void takeWitness(LentStore& store, Fd witness);
    void added(LentStore& store, const Json& message);
    void removed(LentStore& store);
    void look();
    void lookSoon();
    void failed(LentStore& store, const Error& error);
    void drop(std::uint32_t id, const Result<void>& result);
    void leaveBehind(std::uint32_t id);
    void giveUp(std::uint32_t id);
    bool wasLeft(const LentStore& store) const;

    Ring& ring_;
    ContentRecords& records_;
    LendingHooks hooks_;
    std::map<std::uint32_t, LentStore> stores_;
    std::map<std::uint32_t, LentStore> left_;  // behind
    std::uint32_t nextId_ = 1;
    bool workerReady_ = false;
    bool keepsDying_ = false;
    std::optional<Ring::TimerId> look_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace belay::helper
