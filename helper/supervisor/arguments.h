#pragma once

#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// Walks over a command line: "--name value", "--name=value" and plain words.
class Arguments {
 public:
    Arguments(int argc, char** argv) : words_(argv + 1, argv + argc) {}

    bool atEnd() const { return next_ == words_.size(); }
    // True, and past it, if the next word is this option.
    bool flag(const std::string& name) {
        if (atEnd() || words_[next_] != name)
            return false;
        ++next_;
        return true;
    }
    // The value, and past both, if the next word is this option; failed() if it has none.
    std::optional<std::string> value(const std::string& name) {
        if (atEnd())
            return std::nullopt;
        if (words_[next_].starts_with(name + "="))
            return words_[next_++].substr(name.size() + 1);
        if (!flag(name))
            return std::nullopt;
        if (atEnd()) {
            failure_ = name + " needs a value";
            return std::nullopt;
        }
        return words_[next_++];
    }
    const std::string& peek() const { return words_[next_]; }
    std::vector<std::string> rest() const {
        return {words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end()};
    }
    const std::string& failed() const { return failure_; }

 private:
    std::vector<std::string> words_;
    std::size_t next_ = 0;
    std::string failure_;
};

}  // namespace belay::helper
