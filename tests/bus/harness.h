#pragma once

#include "dbus/types.h"
#include "tests/patience.h"

#include <QtCore/QProcess>
#include <QtCore/QStringList>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>
#include <functional>
#include <memory>

// What the tests that run on a private bus (rig/private-bus) have in common.
namespace belay::test {

// A program that has ended.
struct Ran {
    int status = -1;  // its exit status; -1 if it was killed
    QString out;
    QString err;
};

// Users with different rights, by rig/test.rules.
inline constexpr auto kRoot = "root";
inline constexpr auto kAllowed = "daemon";
inline constexpr auto kDenied = "bin";
inline constexpr auto kAsked = "nobody";

// The command line that runs `command` as that user.
QStringList commandAs(const char* user, const QStringList& command);

// Runs it while the event loop goes on, so that a service in this process can answer.
Ran runAs(const char* user, const QStringList& command);
// "busctl --system call" of one of belayd's objects, e.g. callAs(kAllowed, "/devices/d1",
// bus::kDeviceInterface, "Stop", {"a{sv}", "0"}).
Ran callAs(const char* user, const QString& path, const char* interface, const QString& method,
           const QStringList& arguments);
// The object path in an answer that is one.
QString pathIn(const Ran& ran);

// A connection of its own to the bus of the rig: a client like any other.
QDBusConnection connectAs(const QString& name);

// Calls one of belayd's objects and waits for the answer while the event loop goes on.
QDBusMessage call(const QDBusConnection& client, const QString& path, const char* interface,
                  const QString& method, const QVariantList& arguments);
// A property, read by `client`.
QVariant get(const QDBusConnection& client, const QString& path, const char* interface,
             const QString& property);

// Turns the event loop for so long.
void spin(int milliseconds);
// Turns the event loop, which sleeps in between until something happens, until `met` is true; false
// if it does not become true. QTRY_VERIFY looks again all the time instead, which would hide that
// the loop is not woken.
bool spinUntil(const std::function<bool()>& met);

}  // namespace belay::test
