#include "helper/protocol/export_json.h"

#include "core/wire/geometry.h"

namespace belay::helper {

Json toJson(const wire::ExportInfo& info) {
    return {{"id", info.id.value},
            {"blockSize", info.blockSize},
            {"size", info.sizeBytes},
            {"readOnly", info.readOnly},
            {"discard", info.canDiscard},
            {"writeZeroes", info.canWriteZeroes},
            {"uuid", info.uuid.toString()},
            {"generation", info.generation},
            {"verifier", info.verifier.value},
            {"label", info.label},
            {"ready", info.ready}};
}

wire::ExportInfo exportFromJson(const Json& json) {
    wire::ExportInfo info;
    info.id = ExportId(json.at("id").get<std::uint32_t>());
    info.blockSize = json.at("blockSize").get<std::uint32_t>();
    // A supervisor keeps it for the workers to come.
    if (!wire::isBlockSize(info.blockSize))
        throw Json::other_error::create(501, "not a block size", nullptr);
    info.sizeBytes = json.at("size").get<std::uint64_t>();
    info.readOnly = json.at("readOnly").get<bool>();
    info.canDiscard = json.at("discard").get<bool>();
    info.canWriteZeroes = json.at("writeZeroes").get<bool>();
    const auto uuid = Uuid::parse(json.at("uuid").get<std::string>());
    if (!uuid)
        throw Json::other_error::create(501, "not a uuid", nullptr);
    info.uuid = *uuid;
    info.generation = json.at("generation").get<std::uint64_t>();
    info.verifier = Verifier(json.at("verifier").get<std::uint64_t>());
    info.label = json.at("label").get<std::string>();
    info.ready = json.value("ready", true);
    return info;
}

}  // namespace belay::helper
