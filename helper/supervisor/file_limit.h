#pragma once

namespace belay::helper {

// Lets this process, and those that it starts, open as many files as the system allows: a store
// takes several descriptors at either end of what it is passed through.
void raiseFileLimit();

}  // namespace belay::helper
