#pragma once

#include "core/usb/sysfs.h"
#include "helper/supervisor/json_file.h"

#include <optional>
#include <string>

namespace belay::helper {

// The gadget that a program serves which was given no serial number, in a file that a program with
// the same run directory finds after this one was killed.
//
// - It is known again by vendor, product and serial number; one without a serial number, by its
//   port.
class ChosenGadget {
 public:
    explicit ChosenGadget(std::string path);

    // False too if none was chosen.
    bool is(const usb::Gadget& gadget) const;
    void choose(const usb::Gadget& gadget);
    // A session was open in which it was offered what this host lends.
    void borrowed();
    bool hasBorrowed() const { return chosen_ && chosen_->borrowed; }
    // "Pocket G0", "Pocket on port 1-2"; empty if none was chosen.
    std::string name() const;
    void forget();

 private:
    struct Choice {
        usb::Gadget gadget;  // its ids, strings and port; nothing of where it is now
        bool borrowed = false;
    };
    void save() const;

    JsonFile file_;
    std::optional<Choice> chosen_;
};

// A gadget's product, or else its manufacturer; "gadget" if it says neither.
std::string productOf(const usb::Gadget& gadget);

}  // namespace belay::helper
