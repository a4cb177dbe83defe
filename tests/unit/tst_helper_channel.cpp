#include "core/base/shared_memory.h"
#include "helper/supervisor/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <QTest>
#include <array>

using namespace belay;
using namespace belay::helper;
using namespace std::chrono_literals;

namespace {

// What one end of a channel was told.
struct Heard {
    std::vector<Json> messages;
    std::vector<std::vector<Fd>> fds;
    std::vector<std::string> closed;
};

}  // namespace

class HelperChannelTest : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();
    void messagesBothWays();
    void boundariesAreKept();
    void descriptorsArrive();
    void descriptorsOfARefusedMessageAreClosed();
    void peerGoes();
    void peerGoesWithoutReading();
    void handlerMayDestroyTheChannel();
    void nothingIsHeardOfADestroyedChannel();
    void closesOver_data();
    void closesOver();
    void closesOverWhatTheHandlerCannotUse();
    void closesOverMemory_data();
    void closesOverMemory();
    void longestMessage();
    void aPeerThatReadsLaterGetsAll();
    void aPeerThatDoesNotReadIsGone();

 private:
    std::unique_ptr<Channel> channel(Fd socket, Heard& heard) {
        return std::make_unique<Channel>(
            *ring_, std::move(socket),
            [&heard](const Json& message, std::vector<Fd> fds) {
                heard.messages.push_back(message);
                heard.fds.push_back(std::move(fds));
            },
            [&heard](const Error& reason) { heard.closed.push_back(reason.what); });
    }
    template <class Condition>
    void runUntil(Condition condition) {
        for (int i = 0; i < 100 && !condition(); ++i)
            QVERIFY(ring_->turn(20ms));
    }

    std::unique_ptr<Ring> ring_;
    Fd raw_;       // the peer's end, without a channel
    Heard heard_;  // by near_
    std::unique_ptr<Channel> near_;
};

void HelperChannelTest::init() {
    auto ring = Ring::create(32);
    QVERIFY2(ring.has_value(), ring ? "" : ring.error().message().c_str());
    ring_ = std::move(*ring);
    auto pair = Channel::pair();
    QVERIFY(pair.has_value());
    heard_ = {};
    near_ = channel(std::move(pair->first), heard_);
    raw_ = std::move(pair->second);
}

void HelperChannelTest::cleanup() {
    near_.reset();
    raw_ = Fd();
    ring_.reset();
}

void HelperChannelTest::messagesBothWays() {
    Heard other;
    const auto far = channel(std::move(raw_), other);
    near_->send({{"type", "question"}, {"text", "a\nb"}});
    far->send({{"type", "answer"}, {"n", ~std::uint64_t{0}}});
    runUntil([&] { return !other.messages.empty() && !heard_.messages.empty(); });
    QVERIFY(other.messages.at(0).at("text") == "a\nb");
    QVERIFY(heard_.messages.at(0).at("n") == ~std::uint64_t{0});
    QVERIFY(heard_.closed.empty() && other.closed.empty());
}

void HelperChannelTest::boundariesAreKept() {
    Heard other;
    const auto far = channel(std::move(raw_), other);
    for (int i = 0; i < 20; ++i)
        near_->send({{"n", i}});
    runUntil([&] { return other.messages.size() == 20; });
    QCOMPARE(other.messages.size(), 20u);
    for (int i = 0; i < 20; ++i)
        QVERIFY(other.messages[static_cast<std::size_t>(i)].at("n") == i);
}

void HelperChannelTest::descriptorsArrive() {
    Heard other;
    const auto far = channel(std::move(raw_), other);
    std::array<int, 2> pipe{};
    QCOMPARE(::pipe(pipe.data()), 0);
    const Fd reader(pipe[0]);
    const Fd writer(pipe[1]);
    near_->send({{"type", "two"}}, {writer.get(), reader.get()});
    runUntil([&] { return !other.fds.empty(); });
    QCOMPARE(other.fds.at(0).size(), 2u);
    QCOMPARE(::write(other.fds[0][0].get(), "x", 1), 1);
    char read = 0;
    QCOMPARE(::read(reader.get(), &read, 1), 1);
    QCOMPARE(read, 'x');
    for (const Fd& fd : other.fds[0])
        QVERIFY((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

void HelperChannelTest::descriptorsOfARefusedMessageAreClosed() {
    std::array<int, 2> pipe{};
    QCOMPARE(::pipe2(pipe.data(), O_NONBLOCK), 0);
    const Fd reader(pipe[0]);
    Fd writer(pipe[1]);
    Heard other;
    const auto far = channel(std::move(raw_), other);
    near_->send(Json::array({1}), {writer.get()});
    writer = Fd();
    runUntil([&] { return !other.closed.empty(); });
    QCOMPARE(other.closed.size(), 1u);
    char byte;
    QCOMPARE(::read(reader.get(), &byte, 1), 0);  // nobody has the other end any more
}

void HelperChannelTest::peerGoes() {
    raw_ = Fd();
    runUntil([&] { return !heard_.closed.empty(); });
    QVERIFY(heard_.closed == std::vector<std::string>{"the other process is gone"});
    near_->send({{"type", "into the void"}});
    QVERIFY(ring_->turn(20ms));
    QCOMPARE(heard_.closed.size(), 1u);
}

// The kernel says ECONNRESET then (unix(7)), not end of file.
void HelperChannelTest::peerGoesWithoutReading() {
    near_->send({{"type", "last words"}});
    raw_ = Fd();
    runUntil([&] { return !heard_.closed.empty(); });
    QCOMPARE(heard_.closed.size(), 1u);
}

void HelperChannelTest::handlerMayDestroyTheChannel() {
    auto pair = Channel::pair();
    QVERIFY(pair.has_value());
    bool closed = false;
    near_ = std::make_unique<Channel>(
        *ring_, std::move(pair->first), [](const Json&, std::vector<Fd>) {},
        [&](const Error&) {
            near_.reset();
            closed = true;
        });
    pair->second = Fd();
    runUntil([&] { return closed; });
    QVERIFY(closed && !near_);
}

// Its owner, whom the handler would reach, is as a rule gone as well.
void HelperChannelTest::nothingIsHeardOfADestroyedChannel() {
    const Json message = {{"text", std::string(10'000, 'x')}};
    for (int i = 0; i < 1000; ++i)
        near_->send(message);  // the peer never reads: the channel has closed, and not said so yet
    near_.reset();
    QVERIFY(ring_->turn(20ms));
    QVERIFY(heard_.closed.empty());
}

void HelperChannelTest::closesOver_data() {
    QTest::addColumn<QByteArray>("packet");
    QTest::newRow("no json") << QByteArray("hello");
    QTest::newRow("half") << QByteArray(R"({"type":)");
    QTest::newRow("two in one") << QByteArray(R"({"a":1}{"b":2})");
    QTest::newRow("a list") << QByteArray("[]");
    QTest::newRow("not UTF-8") << QByteArray("{\"a\":\"\xff\"}");
    QTest::newRow("a number that is not whole") << QByteArray(R"({"type":1.5})");
    QTest::newRow("zeroes") << QByteArray(64, '\0');
    QTest::newRow("too long") << QByteArray(Packet::kMostInPacket + 1, ' ');
    QTest::newRow("in memory, and none comes along") << QByteArray(R"({"inMemory":2})");
}

void HelperChannelTest::closesOver() {
    QFETCH(const QByteArray, packet);
    const int room = 1 << 20;
    ::setsockopt(raw_.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    QCOMPARE(::send(raw_.get(), packet.data(), static_cast<std::size_t>(packet.size()), 0),
             packet.size());
    runUntil([&] { return !heard_.closed.empty(); });
    QCOMPARE(heard_.closed.size(), 1u);
    QVERIFY(heard_.messages.empty());
}

// Of a process that was taken over.
void HelperChannelTest::closesOverMemory_data() {
    QTest::addColumn<QByteArray>("packet");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<bool>("memory");
    QTest::newRow("no memory") << QByteArray(R"({"inMemory":2})") << QByteArray("{}") << false;
    QTest::newRow("cut short") << QByteArray(R"({"inMemory":3})") << QByteArray("{}") << true;
    QTest::newRow("no json") << QByteArray(R"({"inMemory":2})") << QByteArray("{{") << true;
    QTest::newRow("too much") << QByteArray(R"({"inMemory":4194305})")
                              << QByteArray((4 << 20) + 1, ' ') << true;
    QTest::newRow("negative") << QByteArray(R"({"inMemory":-1})") << QByteArray("{}") << true;
    QTest::newRow("a text") << QByteArray(R"({"inMemory":"2"})") << QByteArray("{}") << true;
}

void HelperChannelTest::closesOverMemory() {
    QFETCH(const QByteArray, packet);
    QFETCH(const QByteArray, content);
    QFETCH(bool, memory);
    Packet::Outgoing outgoing;
    outgoing.text = packet.toStdString();
    std::array<int, 2> pipe{};
    QCOMPARE(::pipe(pipe.data()), 0);
    const Fd reader(pipe[0]);
    const Fd writer(pipe[1]);
    auto made = memoryFile("tst_helper_channel");
    QVERIFY(made.has_value());
    Fd& fd = *made;
    QCOMPARE(::write(fd.get(), content.data(), static_cast<std::size_t>(content.size())),
             content.size());
    outgoing.fds.emplace_back(::dup(memory ? fd.get() : reader.get()));
    QVERIFY(Packet::send(raw_, outgoing).has_value());
    runUntil([&] { return !heard_.closed.empty(); });
    QCOMPARE(heard_.closed.size(), 1u);
    QVERIFY(heard_.messages.empty());
}

void HelperChannelTest::closesOverWhatTheHandlerCannotUse() {
    auto pair = Channel::pair();
    QVERIFY(pair.has_value());
    std::string closed;
    near_ = std::make_unique<Channel>(
        *ring_, std::move(pair->first),
        [](const Json& message, std::vector<Fd>) { message.at("missing"); },
        [&](const Error& reason) { closed = reason.what; });
    QCOMPARE(::send(pair->second.get(), "{}", 2, 0), 2);
    runUntil([&] { return !closed.empty(); });
    QVERIFY(closed == "message of the other process lacks something");
}

void HelperChannelTest::longestMessage() {
    Heard other;
    const auto far = channel(std::move(raw_), other);
    std::array<int, 2> pipe{};
    QCOMPARE(::pipe(pipe.data()), 0);
    const Fd reader(pipe[0]);
    const Fd writer(pipe[1]);
    const std::size_t frame = Json{{"a", ""}}.dump().size();
    const std::vector<std::size_t> sizes = {Packet::kMostInPacket, Packet::kMostInPacket + 1,
                                            Packet::kMostBytes};
    for (const std::size_t size : sizes)
        near_->send({{"a", std::string(size - frame, 'x')}}, {writer.get()});
    // Nobody can send this one; it is none of the peer's fault.
    near_->send({{"a", std::string(Packet::kMostBytes - frame + 1, 'x')}});
    near_->send({{"a", "last"}});
    runUntil([&] { return other.messages.size() == 4; });
    QCOMPARE(other.messages.size(), 4u);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        QCOMPARE(other.messages[i].at("a").get<std::string>().size(), sizes[i] - frame);
        QCOMPARE(other.fds[i].size(), 1u);
        QCOMPARE(::write(other.fds[i][0].get(), "x", 1), 1);
    }
    QVERIFY(other.messages[3].at("a") == "last");
    QVERIFY(heard_.closed.empty() && other.closed.empty());
}

// A busy one: what it has not read yet waits, in order.
void HelperChannelTest::aPeerThatReadsLaterGetsAll() {
    const std::string text(10'000, 'x');
    for (int i = 0; i < 300; ++i)
        near_->send({{"n", i}, {"text", text}});
    QVERIFY(ring_->turn(20ms));
    Heard other;
    const auto far = channel(std::move(raw_), other);
    for (int i = 0; i < 10'000 && other.messages.size() < 300; ++i)
        QVERIFY(ring_->turn(20ms));
    QCOMPARE(other.messages.size(), 300u);
    for (std::size_t i = 0; i < 300; ++i)
        QVERIFY(other.messages[i].at("n") == i);
    near_->send({{"n", "at once"}});
    runUntil([&] { return other.messages.size() == 301; });
    QVERIFY(other.messages.back().at("n") == "at once");
    QVERIFY(heard_.closed.empty() && other.closed.empty());
}

void HelperChannelTest::aPeerThatDoesNotReadIsGone() {
    const Json message = {{"text", std::string(10'000, 'x')}};
    for (int i = 0; i < 1000 && heard_.closed.empty(); ++i) {
        near_->send(message);
        QVERIFY(ring_->turn(0ms));
    }
    QCOMPARE(heard_.closed.size(), 1u);
}

QTEST_GUILESS_MAIN(HelperChannelTest)
#include "tst_helper_channel.moc"
