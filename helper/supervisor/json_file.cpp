#include "helper/supervisor/json_file.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/base/write_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

namespace belay::helper {

bool JsonFile::load(const Reader& reader) const {
    std::ifstream file(path_, std::ios::binary);
    if (!file)
        return true;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto wrong = parse(text, reader);
    if (wrong)
        setAside(*wrong);
    return !wrong;
}

std::optional<std::string> JsonFile::parse(const std::string& text, const Reader& reader) const {
    const auto document = parseJson(text);
    if (!document)
        return "it does not parse";
    try {
        if (document->at("version").get<int>() != version_)
            return "it is of another version";
        reader(*document);
        return std::nullopt;
    } catch (const Json::exception& error) {
        return error.what();
    }
}

void JsonFile::setAside(const std::string& why) const {
    std::string aside = path_ + ".bad";
    for (int i = 1; std::filesystem::exists(aside); ++i)
        aside = path_ + ".bad" + std::to_string(i);
    if (::rename(path_.c_str(), aside.c_str()) == 0)
        log::warning("the state file {} is no good ({}): it is kept as {}", path_, why, aside);
    else
        log::warning("the state file {} is no good ({}), and cannot be set aside: {}", path_, why,
                     systemError("rename").value().message());
}

Result<void> JsonFile::save(Json document) const {
    document["version"] = version_;
    const std::string text = document.dump(2) + "\n";
    const std::string temporary = path_ + ".new";
    const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file)
        return systemError("create", temporary);
    if (auto written = writeAll(file.get(), std::as_bytes(std::span(text)), "write"); !written)
        return errorFrom(written.error().code, "write", temporary);
    if (::fsync(file.get()) < 0)
        return systemError("sync", temporary);
    if (::rename(temporary.c_str(), path_.c_str()) < 0)
        return systemError("replace", path_);
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    const Fd parent(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) < 0)
        return systemError("sync", folder);
    return {};
}

void JsonFile::remove() const {
    ::unlink(path_.c_str());
}

}  // namespace belay::helper
