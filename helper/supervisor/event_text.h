#pragma once

#include "dbus/events.h"

#include <string>

namespace belay::helper {

// The line for people who read English: in belayd's log, and Manager1.Event's text.
std::string inEnglish(const events::Any& event);

}  // namespace belay::helper
