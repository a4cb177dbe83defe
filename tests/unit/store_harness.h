#pragma once

#include "core/store/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <QtTest>
#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

// What the tests of the store share: a ring, a listener that remembers, and one-call operations.

using Bytes = std::vector<std::byte>;

inline Bytes randomBytes(std::size_t length, unsigned seed) {
    std::mt19937_64 random(seed);
    Bytes bytes(length);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

inline bool allZero(const Bytes& bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{}; });
}

// Creates a file of `length` random bytes.
inline void makeFile(const std::string& path, std::size_t length, unsigned seed = 1) {
    const belay::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    const Bytes bytes = randomBytes(length, seed);
    if (!fd || ::write(fd.get(), bytes.data(), length) != static_cast<ssize_t>(length))
        qFatal("cannot make %s", path.c_str());
}

// The file as everybody else sees it.
inline Bytes contentOf(const std::string& path, std::size_t length, off_t offset = 0) {
    const belay::Fd fd(::open(path.c_str(), O_RDONLY));
    Bytes bytes(length);
    if (!fd || ::pread(fd.get(), bytes.data(), length, offset) != static_cast<ssize_t>(length))
        qFatal("cannot read %s", path.c_str());
    return bytes;
}

class Harness final : public belay::store::StoreListener {
 public:
    struct Answer {
        int error;
        belay::Verifier verifier;  // as read inside storeDone()
    };

    explicit Harness(belay::store::StoreOptions o) : options(std::move(o)) {
        auto made = belay::Ring::create(64);
        if (!made)
            qFatal("%s", made.error().message().c_str());
        ring = std::move(*made);
    }

    // True when it opened, and then it is settled; otherwise `error` says why not.
    bool open() {
        auto opened = belay::store::Store::open(*ring, options, *this);
        return keep(opened);
    }
    bool adopt(belay::Fd fd) {
        auto opened = belay::store::Store::adopt(*ring, std::move(fd), options, *this);
        return keep(opened);
    }
    // A worker of the ring may hold the file a moment longer than its operation.
    bool reopen() {
        store.reset();
        return QTest::qWaitFor([this] { return open() || error.code != EBUSY; }, 2000) && store;
    }

    void storeDone(std::uint64_t cookie, int result) override {
        if (inCall)
            qFatal("storeDone from inside a call");
        if (answers.contains(cookie))
            qFatal("answered twice");
        answers.emplace(cookie, Answer{result, store->verifier()});
    }

    // Runs until everything asked for is answered; false after 30 s.
    bool settle() {
        const auto end = belay::Clock::now() + std::chrono::seconds(30);
        while (store->inFlight() != 0 && belay::Clock::now() < end)
            if (auto turned = ring->turn(std::chrono::milliseconds(100)); !turned)
                qFatal("%s", turned.error().message().c_str());
        return store->inFlight() == 0;
    }

    // Each starts one operation and returns its cookie.
    std::uint64_t startRead(std::uint64_t at, belay::ByteSpan out) {
        return start([&](std::uint64_t c) { store->read(at, out, c); });
    }
    std::uint64_t startWrite(std::uint64_t at, belay::ConstByteSpan data, bool fua = false) {
        return start([&](std::uint64_t c) { store->write(at, data, fua, c); });
    }
    std::uint64_t startFlush() {
        return start([&](std::uint64_t c) { store->flush(c); });
    }

    // Each runs one operation to its end: its error, or -1 when it never ended.
    int read(std::uint64_t at, Bytes& out) { return wait(startRead(at, out)); }
    int write(std::uint64_t at, const Bytes& data, bool fua = false) {
        return wait(startWrite(at, data, fua));
    }
    int flush() { return wait(startFlush()); }
    int discard(std::uint64_t at, std::uint64_t length) {
        return wait(start([&](std::uint64_t c) { store->discard(at, length, c); }));
    }
    int writeZeroes(std::uint64_t at, std::uint64_t length, bool noUnmap) {
        return wait(start([&](std::uint64_t c) { store->writeZeroes(at, length, noUnmap, c); }));
    }
    int wait(std::uint64_t cookie) { return settle() ? answers.at(cookie).error : -1; }

    belay::store::StoreOptions options;
    belay::Error error;
    std::unique_ptr<belay::Ring> ring;
    std::map<std::uint64_t, Answer> answers;
    std::unique_ptr<belay::store::Store> store;  // goes before the ring

 private:
    bool keep(belay::Result<std::unique_ptr<belay::store::Store>>& opened) {
        if (!opened) {
            error = opened.error();
            return false;
        }
        store = std::move(*opened);
        return settle();
    }
    template <class Start>
    std::uint64_t start(Start begin) {
        const std::uint64_t cookie = ++lastCookie;
        inCall = true;
        begin(cookie);
        inCall = false;
        return cookie;
    }

    std::uint64_t lastCookie = 0;
    bool inCall = false;
};
