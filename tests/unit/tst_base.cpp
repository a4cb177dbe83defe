#include "core/base/address.h"
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"
#include "core/base/shared_memory.h"
#include "core/base/uuid.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <QTest>
#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

using namespace belay;
using namespace std::chrono_literals;

namespace {

ConstByteSpan bytesOf(std::string_view text) {
    return std::as_bytes(std::span(text));
}

struct Pipe {
    Fd reader;
    Fd writer;

    Pipe() {
        int fds[2];
        if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
            qFatal("pipe2 failed");
        reader = Fd(fds[0]);
        writer = Fd(fds[1]);
    }
    void write(std::string_view text) const {
        QCOMPARE(::write(writer.get(), text.data(), text.size()),
                 static_cast<ssize_t>(text.size()));
    }
    char readOne() const {
        char c = 0;
        return ::read(reader.get(), &c, 1) == 1 ? c : '\0';
    }
};

bool isOpen(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

std::unique_ptr<Ring> newRing(unsigned entries = 8) {
    auto ring = Ring::create(entries);
    if (!ring)
        qFatal("%s", ring.error().message().c_str());
    return std::move(*ring);
}

struct Recorder final : Operation {
    std::vector<int> results;
    void complete(int result, std::uint32_t) override { results.push_back(result); }
};

// Turns until `done` or until it has taken far too long.
template <class Done>
void turnUntil(Ring& ring, Done done) {
    const TimePoint limit = Clock::now() + 5s;
    while (!done() && Clock::now() < limit)
        QVERIFY(ring.turn(20ms));
    QVERIFY(done());
}

// A watch's memory goes with the kernel's answer to the cancelled poll, which a later turn brings.
void endWatch(Ring& ring, std::optional<FdWatch>& watch) {
    watch.reset();
    for (int i = 0; i < 3; ++i)
        QVERIFY(ring.turn(1ms));
}

}  // namespace

class BaseTest : public QObject {
    Q_OBJECT
 private slots:
    void crcGoldenValues();
    void crcContinuesAnywhere();
    void bytesAreLittleEndian();
    void addressesAreNotSigned();
    void errorTexts();
    void errorsFromSystemCalls();
    void fdOwnsAndCloses();
    void uuidText();
    void uuidTextRefused();
    void uuidRandom();
    void arenaSlices();
    void arenaFillsAndReuses();
    void arenaFindsEveryRun();
    void arenaHasWhatIsFreeInPieces();
    void arenaOutlivesItsOwner();
    void bufferMoves();
    void sharedMemoryOutlivesItsMapping();
    void sharedMemoryKeepsItsSize();
    void sharedMemoryIsGivenBack();
    void ringCompletesOperations();
    void ringSubmitsWhenFull();
    void ringNobodyIsTold();
    void ringTakesOnlyWhatItMay();
    void timersRunInOrder();
    void timersCancel();
    void timersMayChangeTimers();
    void turnEndsAtItsLimit();
    void endOfTurnRunsBeforeSleep();
    void runStops();
    void watchIsLevelTriggered();
    void watchSeesHangUp();
    void watchMayEndInItsCallback();
    void watchEndsQuietly();
    void watchReplacedOnTheSameDescriptor();
};

void BaseTest::crcGoldenValues() {
    // RFC 3720, appendix B.4.
    std::array<std::byte, 32> data{};
    QCOMPARE(crc32c(data), 0x8A9136AAu);
    data.fill(std::byte{0xFF});
    QCOMPARE(crc32c(data), 0x62A8AB43u);
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::byte>(i);
    QCOMPARE(crc32c(data), 0x46DD794Eu);
    std::ranges::reverse(data);
    QCOMPARE(crc32c(data), 0x113FDB5Cu);
    std::array<std::byte, 48> readCommand{};
    for (const auto& [at, value] : {std::pair{0, 0x01},
                                    {1, 0xC0},
                                    {16, 0x14},
                                    {22, 0x04},
                                    {27, 0x14},
                                    {31, 0x18},
                                    {32, 0x28},
                                    {40, 0x02}})
        readCommand[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
    QCOMPARE(crc32c(readCommand), 0xD9963A56u);
    // The check value of the CRC catalogues.
    QCOMPARE(crc32c(bytesOf("123456789")), 0xE3069283u);
    QCOMPARE(crc32c({}), 0u);
    QCOMPARE(crc32c({}, 0x1234u), 0x1234u);
}

void BaseTest::crcContinuesAnywhere() {
    std::array<std::byte, 100> data{};
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::byte>(i * 37 + 11);
    const ConstByteSpan all(data);
    for (std::size_t cut = 0; cut <= all.size(); ++cut)
        QCOMPARE(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all));
}

void BaseTest::bytesAreLittleEndian() {
    std::array<std::byte, 9> data{};
    storeLe<std::uint64_t>(data, 1, 0x1122334455667788);
    for (std::size_t i = 1; i < data.size(); ++i)
        QCOMPARE(std::to_integer<int>(data[i]), static_cast<int>(0x99 - 0x11 * i));
    QCOMPARE(loadLe<std::uint64_t>(data, 1), 0x1122334455667788u);
    QCOMPARE(loadLe<std::uint32_t>(data, 1), 0x55667788u);
    QCOMPARE(loadLe<std::uint16_t>(data, 7), 0x1122u);
    QCOMPARE(loadLe<std::uint8_t>(data, 8), 0x11u);
    storeLe<std::uint16_t>(data, 0, 0xABCD);
    QCOMPARE(data[0], std::byte{0xCD});
    QCOMPARE(data[1], std::byte{0xAB});
}

void BaseTest::addressesAreNotSigned() {
    constexpr std::uintptr_t kHalf = ~(~std::uintptr_t{0} >> 1);
    for (const std::uintptr_t place : {std::uintptr_t{4096}, kHalf, ~std::uintptr_t{0}})
        QCOMPARE(addressOf(reinterpret_cast<const void*>(place)), std::uint64_t{place});
}

void BaseTest::errorTexts() {
    using S = std::string;
    QCOMPARE((Error{"open", "/dev/x", EACCES, "Run it as root."}).message(),
             S("open /dev/x: Permission denied. Run it as root."));
    QCOMPARE((Error{"open", "/dev/x", EACCES, ""}).message(), S("open /dev/x: Permission denied"));
    QCOMPARE((Error{"open", "/dev/x", 0, ""}).message(), S("open /dev/x"));
    QCOMPARE((Error{"set up io_uring", "", EPERM, ""}).message(),
             S("set up io_uring: Operation not permitted"));
    QCOMPARE((Error{"message refused", "", 0, "Try again."}).message(),
             S("message refused. Try again."));
    QCOMPARE((Error{"", "/dev/x", ENOENT, ""}).message(), S("/dev/x: No such file or directory"));
}

void BaseTest::errorsFromSystemCalls() {
    errno = ENOSPC;
    const Result<int> ours = systemError("write", "file", "Make room.");
    QCOMPARE(ours.error(), (Error{"write", "file", ENOSPC, "Make room."}));
    const Result<int> negative = errorFrom(-EIO, "read");
    QCOMPARE(negative.error(), (Error{"read", "", EIO, ""}));
    const Result<int> positive = errorFrom(EIO, "read");
    QCOMPARE(positive.error(), negative.error());
    const Result<int> noCall = failure("too long", "label");
    QCOMPARE(noCall.error(), (Error{"too long", "label", 0, ""}));
}

void BaseTest::fdOwnsAndCloses() {
    Pipe pipe;
    const int raw = pipe.reader.get();
    Fd moved = std::move(pipe.reader);
    QVERIFY(!pipe.reader);
    QCOMPARE(moved.get(), raw);
    const int writer = pipe.writer.get();
    pipe.writer = std::move(moved);
    QVERIFY(!isOpen(writer));
    QVERIFY(isOpen(raw));
    const int released = pipe.writer.release();
    QCOMPARE(released, raw);
    QVERIFY(!pipe.writer && isOpen(raw));
    Fd(released).reset();
    QVERIFY(!isOpen(raw));
}

void BaseTest::uuidText() {
    const auto uuid = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    QVERIFY(uuid.has_value());
    QCOMPARE(int{uuid->bytes[0]}, 0x6b);
    QCOMPARE(int{uuid->bytes[15]}, 0xc8);
    QCOMPARE(uuid->toString(), std::string("6ba7b810-9dad-11d1-80b4-00c04fd430c8"));
    QCOMPARE(Uuid::parse("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"), uuid);
    QCOMPARE(Uuid{}.toString(), std::string("00000000-0000-0000-0000-000000000000"));
    QVERIFY(Uuid{}.isNil() && !uuid->isNil());
    QVERIFY(Uuid{} < *uuid);
}

void BaseTest::uuidTextRefused() {
    for (const char* bad : {
             "",
             "6ba7b810-9dad-11d1-80b4-00c04fd430c",
             "6ba7b810-9dad-11d1-80b4-00c04fd430c81",
             "6ba7b81009dad-11d1-80b4-00c04fd430c8",
             "6ba7b8109-dad-11d1-80b4-00c04fd430c8",
             "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
             "6ba7b810-9dad-11d1-80b4-00c04fd4-0c8",
             "{ba7b810-9dad-11d1-80b4-00c04fd430c}",
             " ba7b810-9dad-11d1-80b4-00c04fd430c8",
         })
        QVERIFY2(!Uuid::parse(bad), bad);
}

void BaseTest::uuidRandom() {
    std::set<Uuid> seen;
    for (int i = 0; i < 100; ++i) {
        const Uuid uuid = Uuid::random();
        QCOMPARE(uuid.bytes[6] >> 4, 4);
        QCOMPARE(uuid.bytes[8] >> 6, 2);
        QVERIFY(seen.insert(uuid).second);
        QCOMPARE(Uuid::parse(uuid.toString()), uuid);
        QVERIFY(randomNonZero64() != 0);
    }
}

void BaseTest::arenaSlices() {
    const auto arena = Arena::heap(1).value();
    QCOMPARE(arena->capacity(), Arena::kChunkBytes);
    QCOMPARE(arena->available(), Arena::kChunkBytes);
    QVERIFY(!arena->take(0));
    QVERIFY(!arena->take(Arena::kChunkBytes + 1));
    auto small = arena->take(1);
    auto odd = arena->take(Arena::kPageBytes + 1);
    QVERIFY(small && odd);
    QCOMPARE(small->bytes().size(), 1u);
    QCOMPARE(odd->bytes().size(), Arena::kPageBytes + 1);
    for (const Buffer* buffer : {&*small, &*odd})
        QCOMPARE(reinterpret_cast<std::uintptr_t>(buffer->bytes().data()) % Arena::kPageBytes, 0u);
    QCOMPARE(arena->available(), Arena::kChunkBytes - 3 * Arena::kPageBytes);
    QVERIFY(small->bytes().data() + Arena::kPageBytes <= odd->bytes().data());
    std::ranges::fill(odd->bytes(), std::byte{0x5A});
    QCOMPARE(small->bytes()[0], std::byte{0});
    small.reset();
    odd.reset();
    QCOMPARE(arena->available(), Arena::kChunkBytes);
}

void BaseTest::arenaFillsAndReuses() {
    const auto arena = Arena::heap(Arena::kChunkBytes + 1).value();
    QCOMPARE(arena->capacity(), 2 * Arena::kChunkBytes);
    constexpr std::size_t kPiece = Arena::kChunkBytes / 4;
    std::vector<Buffer> pieces;
    while (auto piece = arena->take(kPiece))
        pieces.push_back(std::move(*piece));
    QCOMPARE(pieces.size(), 8u);
    QCOMPARE(arena->available(), 0u);
    std::set<std::byte*> starts;
    for (const Buffer& piece : pieces)
        QVERIFY(starts.insert(piece.bytes().data()).second);
    // Two quarters apart from each other: enough bytes, but no run of that length.
    std::byte* const freed = pieces[2].bytes().data();
    pieces[2] = Buffer();
    pieces[4] = Buffer();
    QCOMPARE(arena->available(), 2 * kPiece);
    QVERIFY(!arena->take(2 * kPiece));
    const auto again = arena->take(kPiece);
    QVERIFY(again);
    QCOMPARE(again->bytes().data(), freed);
    pieces.clear();
    // A whole chunk is to be had again only where nothing is left.
    const auto whole = arena->take(Arena::kChunkBytes);
    QVERIFY(whole);
    QVERIFY(!arena->take(Arena::kChunkBytes));
}

void BaseTest::arenaHasWhatIsFreeInPieces() {
    const auto arena = Arena::heap(1).value();
    constexpr std::size_t kQuarter = Arena::kChunkBytes / 4;
    std::vector<Buffer> quarters;
    for (int i = 0; i < 4; ++i)
        quarters.push_back(std::move(*arena->take(kQuarter)));
    QVERIFY(!arena->takeAnywhere(1));
    quarters[0] = Buffer();
    quarters[2] = Buffer();
    QVERIFY(!arena->take(2 * kQuarter));
    auto elsewhere = arena->takeAnywhere(2 * kQuarter);
    QVERIFY(elsewhere);
    QCOMPARE(elsewhere->bytes().size(), 2 * kQuarter);
    std::ranges::fill(elsewhere->bytes(), std::byte{1});
    QCOMPARE(arena->available(), 0u);
    QVERIFY(!arena->takeAnywhere(1));
    elsewhere.reset();
    QCOMPARE(arena->available(), 2 * kQuarter);
    QVERIFY(arena->takeAnywhere(kQuarter));
}

// Against a plain list of pages: what is given is free, and nothing is refused that would fit.
void BaseTest::arenaFindsEveryRun() {
    const auto arena = Arena::heap(1).value();
    constexpr std::size_t kPages = Arena::kChunkBytes / Arena::kPageBytes;
    auto whole = arena->take(Arena::kChunkBytes);
    std::byte* const base = whole->bytes().data();
    whole.reset();
    std::array<bool, kPages> used{};
    const auto longestFree = [&used] {
        std::size_t longest = 0;
        std::size_t run = 0;
        for (const bool page : used) {
            run = page ? 0 : run + 1;
            longest = std::max(longest, run);
        }
        return longest;
    };
    std::vector<Buffer> held;
    std::mt19937 random(1);
    std::size_t refused = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::size_t pages = 1 + random() % 100;
        if (auto buffer = arena->take(pages * Arena::kPageBytes)) {
            const auto first =
                static_cast<std::size_t>(buffer->bytes().data() - base) / Arena::kPageBytes;
            for (std::size_t page = first; page < first + pages; ++page)
                QVERIFY(!std::exchange(used.at(page), true));
            held.push_back(std::move(*buffer));
        } else {
            QVERIFY(longestFree() < pages);
            ++refused;
        }
        if (held.empty() || random() % 2 != 0)
            continue;
        std::swap(held[random() % held.size()], held.back());
        const ByteSpan bytes = held.back().bytes();
        const auto first = static_cast<std::size_t>(bytes.data() - base) / Arena::kPageBytes;
        std::fill_n(used.begin() + static_cast<std::ptrdiff_t>(first),
                    bytes.size() / Arena::kPageBytes, false);
        held.pop_back();
    }
    QVERIFY(refused > 1000 && refused < 19000);
    held.clear();
    QCOMPARE(arena->available(), Arena::kChunkBytes);
}

void BaseTest::arenaOutlivesItsOwner() {
    bool released = false;
    std::vector<std::byte> memory(Arena::kChunkBytes);
    std::optional<Buffer> buffer;
    {
        std::shared_ptr<void> owner(&memory, [&released](void*) { released = true; });
        auto arena = Arena::over({memory.data()}, std::move(owner));
        buffer = arena->take(10);
        QVERIFY(buffer);
        QCOMPARE(buffer->bytes().data(), memory.data());
    }
    QVERIFY(!released);
    buffer.reset();
    QVERIFY(released);
}

void BaseTest::bufferMoves() {
    const auto arena = Arena::heap(1).value();
    Buffer first = std::move(arena->take(100).value());
    Buffer second = std::move(first);
    QVERIFY(!first && second);
    QVERIFY(first.bytes().empty());
    Buffer third = std::move(arena->take(100).value());
    QCOMPARE(arena->available(), Arena::kChunkBytes - 2 * Arena::kPageBytes);
    third = std::move(second);
    QCOMPARE(arena->available(), Arena::kChunkBytes - Arena::kPageBytes);
    third = Buffer();
    QCOMPARE(arena->available(), Arena::kChunkBytes);
}

void BaseTest::sharedMemoryOutlivesItsMapping() {
    constexpr std::size_t kBytes = 8192;
    const auto made = SharedMemory::create("test", kBytes);
    QVERIFY(made.has_value());
    QVERIFY((::fcntl(made->get(), F_GETFD) & FD_CLOEXEC) != 0);
    for (const int round : {0, 1}) {
        auto mapped = SharedMemory::map(Fd(::dup(made->get())), kBytes, kBytes);
        QVERIFY(mapped.has_value());
        const SharedMemory memory = std::move(*mapped);
        QCOMPARE(memory.bytes().size(), kBytes);
        QCOMPARE(std::to_integer<int>(memory.bytes()[kBytes - 1]), round);
        memory.bytes()[kBytes - 1] = std::byte{1};
        QVERIFY(isOpen(memory.fd().get()));
    }
}

void BaseTest::sharedMemoryKeepsItsSize() {
    const auto made = SharedMemory::create("test", 8192);
    QVERIFY(made.has_value());
    QVERIFY(::ftruncate(made->get(), 4096) < 0);
    QVERIFY(::ftruncate(made->get(), 16384) < 0);
    QVERIFY(SharedMemory::check(*made, 4096, 16384).has_value());
    QVERIFY(!SharedMemory::check(*made, 8193, 16384));
    QVERIFY(!SharedMemory::check(*made, 4096, 8191));
    // What can be cut off under a mapping is refused, whoever hands it over.
    const Fd unsealed(::memfd_create("test", MFD_CLOEXEC));
    QVERIFY(::ftruncate(unsealed.get(), 8192) == 0);
    QVERIFY(!SharedMemory::check(unsealed, 4096, 16384));
    QVERIFY(!SharedMemory::map(Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)), 0, 16384));
}

void BaseTest::sharedMemoryIsGivenBack() {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    auto made = SharedMemory::create("test", 8 * page);
    QVERIFY(made.has_value());
    auto mapped = SharedMemory::map(std::move(*made), page, 8 * page);
    QVERIFY(mapped.has_value());
    SharedMemory memory = std::move(*mapped);
    const auto pages = [&] {
        struct stat status {};
        return ::fstat(memory.fd().get(), &status) == 0
                   ? static_cast<std::size_t>(status.st_blocks) * 512 / page
                   : 0;
    };
    // Locked as a worker's is.
    QVERIFY(::mlock2(memory.bytes().data(), memory.bytes().size(), MLOCK_ONFAULT) == 0);
    std::ranges::fill(memory.bytes(), std::byte{1});
    QCOMPARE(pages(), 8u);
    // Pages that it has only a part of stay.
    QVERIFY(memory.giveBack(memory.bytes().subspan(2 * page - 1, 3 * page + 2)).has_value());
    QCOMPARE(pages(), 5u);
    QCOMPARE(std::to_integer<int>(memory.bytes()[2 * page - 1]), 1);
    QCOMPARE(std::to_integer<int>(memory.bytes()[2 * page]), 0);
    QCOMPARE(std::to_integer<int>(memory.bytes()[5 * page]), 1);
    QVERIFY(memory.giveBack(memory.bytes().subspan(1, page)).has_value());
    QVERIFY(memory.giveBack({}).has_value());
    QCOMPARE(pages(), 6u);
}

void BaseTest::ringCompletesOperations() {
    const auto ring = newRing();
    Pipe pipe;
    pipe.write("xyz");
    Recorder nop;
    Recorder read;
    Recorder bad;
    std::array<char, 8> buffer{};
    ring->prepare(&nop);
    io_uring_prep_read(ring->prepare(&read), pipe.reader.get(), buffer.data(), buffer.size(), 0);
    io_uring_prep_read(ring->prepare(&bad), -1, buffer.data(), 1, 0);
    turnUntil(*ring, [&] {
        return !nop.results.empty() && !read.results.empty() && !bad.results.empty();
    });
    QCOMPARE(nop.results, std::vector{0});
    QCOMPARE(read.results, std::vector{3});
    QCOMPARE(bad.results, std::vector{-EBADF});
    QCOMPARE(std::string_view(buffer.data(), 3), std::string_view("xyz"));
}

void BaseTest::ringSubmitsWhenFull() {
    const auto ring = newRing(4);
    Recorder nops;
    for (int i = 0; i < 12; ++i)
        ring->prepare(&nops);
    turnUntil(*ring, [&] { return nops.results.size() == 12; });
}

void BaseTest::ringNobodyIsTold() {
    const auto ring = newRing();
    Recorder nop;
    ring->prepare(nullptr);
    ring->prepare(&nop);
    turnUntil(*ring, [&] { return !nop.results.empty(); });
    QCOMPARE(nop.results, std::vector{0});
}

void BaseTest::ringTakesOnlyWhatItMay() {
    constexpr std::array<std::uint8_t, 3> only = {IORING_OP_NOP, IORING_OP_READ,
                                                  IORING_OP_POLL_ADD};
    auto made = Ring::create(8, only);
    QVERIFY2(made.has_value(), made ? "" : made.error().message().c_str());
    const auto ring = std::move(*made);
    Pipe pipe;
    pipe.write("x");
    Recorder nop;
    Recorder read;
    Recorder write;
    Recorder open;
    Recorder flagged;
    char byte = 0;
    ring->prepare(&nop);
    io_uring_prep_read(ring->prepare(&read), pipe.reader.get(), &byte, 1, 0);
    io_uring_prep_write(ring->prepare(&write), pipe.writer.get(), &byte, 1, 0);
    io_uring_prep_openat(ring->prepare(&open), AT_FDCWD, "/dev/null", O_RDONLY, 0);
    ring->prepare(&flagged)->flags |= IOSQE_IO_DRAIN;
    turnUntil(*ring, [&] {
        return !nop.results.empty() && !read.results.empty() && !write.results.empty() &&
               !open.results.empty() && !flagged.results.empty();
    });
    QCOMPARE(nop.results, std::vector{0});
    QCOMPARE(read.results, std::vector{1});
    QCOMPARE(write.results, std::vector{-EACCES});
    QCOMPARE(open.results, std::vector{-EACCES});
    QCOMPARE(flagged.results, std::vector{-EACCES});
    // The one registration that is left.
    QVERIFY(ring->addWorkers(1).has_value());
}

void BaseTest::timersRunInOrder() {
    const auto ring = newRing();
    std::vector<int> order;
    const TimePoint start = Clock::now();
    const auto note = [&order](int i) { return [&order, i] { order.push_back(i); }; };
    const auto third = ring->callAt(start + 20ms, note(3));
    const auto first = ring->callAt(start + 5ms, note(1));
    const auto second = ring->callAt(start + 5ms, note(2));
    ring->callAt(start - 1s, note(0));
    QVERIFY(third < first && first < second);
    turnUntil(*ring, [&] { return order.size() == 4; });
    QCOMPARE(order, (std::vector{0, 1, 2, 3}));
    QVERIFY(Clock::now() - start >= 20ms);
}

void BaseTest::timersCancel() {
    const auto ring = newRing();
    int ran = 0;
    const auto gone = ring->callAfter(1ms, [&ran] { ran += 100; });
    ring->cancel(gone);
    ring->cancel(gone);
    ring->cancel(12345);
    const auto kept = ring->callAfter(2ms, [&ran] { ++ran; });
    turnUntil(*ring, [&] { return ran != 0; });
    ring->cancel(kept);
    QVERIFY(ring->turn(5ms));
    QCOMPARE(ran, 1);
}

void BaseTest::timersMayChangeTimers() {
    const auto ring = newRing();
    std::vector<int> order;
    const TimePoint due = Clock::now() - 1ms;
    Ring::TimerId victim = 0;
    ring->callAt(due, [&] {
        order.push_back(1);
        ring->cancel(victim);
        ring->callAfter(1ms, [&] { order.push_back(3); });
    });
    victim = ring->callAt(due, [&] { order.push_back(2); });
    turnUntil(*ring, [&] { return order.size() == 2; });
    QCOMPARE(order, (std::vector{1, 3}));
}

void BaseTest::turnEndsAtItsLimit() {
    const auto ring = newRing();
    const TimePoint start = Clock::now();
    QVERIFY(ring->turn(10ms));
    QVERIFY(Clock::now() - start >= 10ms);
    QVERIFY(Clock::now() - start < 2s);
    QVERIFY(ring->turn(0ms));
}

void BaseTest::endOfTurnRunsBeforeSleep() {
    const auto ring = newRing();
    std::vector<int> order;
    Recorder nop;
    ring->callAtEndOfTurn([&] {
        order.push_back(1);
        ring->callAtEndOfTurn([&] { order.push_back(2); });
        ring->prepare(&nop);  // goes out with this very turn
    });
    QVERIFY(order.empty());
    QVERIFY(ring->turn(1s));
    QCOMPARE(order, (std::vector{1, 2}));
    QCOMPARE(nop.results, std::vector{0});
    QVERIFY(ring->turn(0ms));
    QCOMPARE(order.size(), 2u);
}

void BaseTest::runStops() {
    const auto ring = newRing();
    int ticks = 0;
    Ring::Callback tick = [&] {
        if (++ticks == 3)
            ring->stop();
        else
            ring->callAfter(1ms, tick);
    };
    ring->callAfter(1ms, tick);
    QVERIFY(ring->run());
    QCOMPARE(ticks, 3);
    // A stopped ring may run again.
    ticks = 2;
    ring->callAfter(1ms, tick);
    QVERIFY(ring->run());
    QCOMPARE(ticks, 3);
}

void BaseTest::watchIsLevelTriggered() {
    const auto ring = newRing();
    Pipe pipe;
    std::string seen;
    std::optional<FdWatch> watch;
    watch.emplace(*ring, pipe.reader.get(), POLLIN, [&](std::uint32_t events) {
        QVERIFY((events & POLLIN) != 0);
        seen += pipe.readOne();  // leaves the rest for the next call
    });
    QVERIFY(ring->turn(5ms));
    QVERIFY(seen.empty());
    pipe.write("abc");
    turnUntil(*ring, [&] { return seen.size() == 3; });
    QVERIFY(ring->turn(5ms));
    QCOMPARE(seen, std::string("abc"));
    pipe.write("d");
    turnUntil(*ring, [&] { return seen.size() == 4; });
    endWatch(*ring, watch);
}

void BaseTest::watchSeesHangUp() {
    const auto ring = newRing();
    Pipe pipe;
    std::uint32_t seen = 0;
    std::optional<FdWatch> watch;
    watch.emplace(*ring, pipe.reader.get(), POLLIN, [&](std::uint32_t events) {
        seen = events;
        watch.reset();
    });
    pipe.writer.reset();
    turnUntil(*ring, [&] { return seen != 0; });
    QVERIFY((seen & POLLHUP) != 0);
}

void BaseTest::watchMayEndInItsCallback() {
    const auto ring = newRing();
    Pipe pipe;
    int calls = 0;
    std::optional<FdWatch> watch;
    watch.emplace(*ring, pipe.reader.get(), POLLIN, [&](std::uint32_t) {
        ++calls;
        watch.reset();
    });
    pipe.write("abc");
    turnUntil(*ring, [&] { return calls == 1; });
    QVERIFY(ring->turn(5ms));
    QCOMPARE(calls, 1);
}

void BaseTest::watchEndsQuietly() {
    const auto ring = newRing();
    Pipe pipe;
    int calls = 0;
    {
        FdWatch neverSubmitted(*ring, pipe.reader.get(), POLLIN, [&](std::uint32_t) { ++calls; });
    }
    QVERIFY(ring->turn(5ms));
    {
        FdWatch waiting(*ring, pipe.reader.get(), POLLIN, [&](std::uint32_t) { ++calls; });
        QVERIFY(ring->turn(5ms));
    }
    pipe.write("a");
    for (int i = 0; i < 3; ++i)
        QVERIFY(ring->turn(5ms));
    QCOMPARE(calls, 0);
}

void BaseTest::watchReplacedOnTheSameDescriptor() {
    const auto ring = newRing();
    Pipe pipe;
    int before = 0;
    int after = 0;
    std::optional<FdWatch> watch;
    watch.emplace(*ring, pipe.reader.get(), POLLIN, [&](std::uint32_t) { ++before; });
    QVERIFY(ring->turn(5ms));
    watch.reset();
    watch.emplace(*ring, pipe.reader.get(), POLLIN, [&](std::uint32_t) {
        ++after;
        pipe.readOne();
    });
    pipe.write("a");
    turnUntil(*ring, [&] { return after == 1; });
    QCOMPARE(before, 0);
    endWatch(*ring, watch);
}

QTEST_GUILESS_MAIN(BaseTest)
#include "tst_base.moc"
