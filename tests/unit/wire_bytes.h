#pragma once

#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/base/error.h"
#include "core/wire/layout.h"

#include <QByteArray>
#include <QTest>
#include <algorithm>
#include <vector>

// What the tests of the codecs share: bytes as hex text, and messages broken in one place.
namespace belay::wire {

using Bytes = std::vector<std::byte>;

// "42 45 4c 59" as bytes; spaces are for the eye.
inline Bytes fromHex(const char* hex) {
    const QByteArray raw = QByteArray::fromHex(hex);
    Bytes bytes(static_cast<std::size_t>(raw.size()));
    std::ranges::copy(std::as_bytes(std::span(raw.data(), bytes.size())), bytes.begin());
    return bytes;
}

inline QByteArray toHex(ConstByteSpan bytes) {
    QByteArray raw;
    for (std::byte b : bytes)
        raw.append(static_cast<char>(b));
    return raw.toHex(' ');
}

inline QString textOf(const Error& error) {
    return QString::fromStdString(error.message());
}

template <class T>
QString textOf(const Result<T>& result) {
    return result ? QStringLiteral("accepted") : textOf(result.error());
}

// Puts the right CRC into the last four bytes.
inline void sealEnd(Bytes& message) {
    const std::size_t end = message.size() - 4;
    storeLe<std::uint32_t>(message, end, crc32c(ConstByteSpan(message).first(end)));
}

// Overwrites one field with an integer, and puts the CRC right again: a message that only that
// field makes wrong.
inline Bytes withField(Bytes message, const Field& field, std::uint64_t value) {
    for (std::size_t i = 0; i < field.size; ++i)
        message[field.offset + i] =
            i < 8 ? static_cast<std::byte>(value >> (8 * i) & 0xff) : std::byte{0};
    sealEnd(message);
    return message;
}

// Every change of one byte of `message` to another value must be refused by `decode`.
template <class Decode>
void everyByteCounts(const Bytes& message, Decode decode) {
    QVERIFY(decode(message));
    for (std::size_t i = 0; i < message.size(); ++i) {
        for (unsigned change = 1; change < 256; ++change) {
            Bytes broken = message;
            broken[i] ^= static_cast<std::byte>(change);
            if (decode(broken))
                QFAIL(qPrintable(QStringLiteral("byte %1 changed by %2 went unnoticed")
                                     .arg(i)
                                     .arg(change, 2, 16)));
        }
    }
}

// No other length than the message's own is accepted.
template <class Decode>
void everyLengthCounts(const Bytes& message, Decode decode) {
    for (std::size_t length = 0; length <= message.size() + 8; ++length) {
        Bytes other = message;
        other.resize(length);
        QCOMPARE(decode(other), length == message.size());
    }
}

}  // namespace belay::wire
