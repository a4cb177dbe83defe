#pragma once

#include "core/base/error.h"
#include "helper/supervisor/channel.h"

#include <functional>
#include <optional>
#include <string>

namespace belay::helper {

// A JSON document with a version, in a file that is replaced as a whole.
//
// - A file that is cut off, not ours, or of another version is set aside under another name with a
//   message; it is never fatal and never overwritten.
class JsonFile {
 public:
    // Takes in what the document says. May throw Json::exception for what it lacks: then the file
    // is no good.
    using Reader = std::function<void(const Json& document)>;

    JsonFile(std::string path, int version) : path_(std::move(path)), version_(version) {}

    // Does nothing if there is no file. False if it had to be set aside.
    bool load(const Reader& reader) const;
    // The same with the file's text. Why it is no good; nothing if `reader` has taken it in.
    std::optional<std::string> parse(const std::string& text, const Reader& reader) const;
    // Adds the version. Durable when it returns without an error.
    Result<void> save(Json document) const;
    void remove() const;

 private:
    void setAside(const std::string& why) const;

    std::string path_;
    int version_;
};

// For a reader: a name that this version does not know makes the file one of another version.
template <class T>
T needKnown(const std::optional<T>& value) {
    if (!value)
        throw Json::other_error::create(501, "it has a word of another version", nullptr);
    return *value;
}

}  // namespace belay::helper
