#pragma once

#include <QtTest/QTest>

// How long a test waits for what must come: longer than the busiest machine needs for it, as it is
// waited through only where the test fails. Qt Test's own macros wait for 5 s.
namespace belay::test {

inline constexpr int kPatienceMs = 20'000;

}  // namespace belay::test

#undef QTRY_VERIFY
#define QTRY_VERIFY(expr) QTRY_VERIFY_WITH_TIMEOUT(expr, belay::test::kPatienceMs)
#undef QTRY_VERIFY2
#define QTRY_VERIFY2(expr, message) \
    QTRY_VERIFY2_WITH_TIMEOUT(expr, message, belay::test::kPatienceMs)
#undef QTRY_COMPARE
#define QTRY_COMPARE(actual, expected) \
    QTRY_COMPARE_WITH_TIMEOUT(actual, expected, belay::test::kPatienceMs)
