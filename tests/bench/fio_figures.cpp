// fio_figures: reads the JSON of one fio job on its standard input, prints lines "MEASURE VALUE".
//
// Fails when fio reported an error or nothing was transferred.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

int main() {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    // fio writes its notes before the JSON.
    const std::size_t begin = text.find('{');
    const auto json = begin == std::string::npos
                          ? nlohmann::json()
                          : nlohmann::json::parse(text.substr(begin), nullptr, false);
    try {
        const auto& job = json.at("jobs").at(0);
        if (job.at("error") != 0) {
            fmt::print(stderr, "fio_figures: the job ended with error {}\n",
                       job.at("error").get<int>());
            return 1;
        }
        const auto& read = job.at("read");
        const auto& write = job.at("write");
        const auto& active = read.at("total_ios") > 0 ? read : write;
        if (active.at("total_ios") == 0) {
            fmt::print(stderr, "fio_figures: nothing was transferred\n");
            return 1;
        }
        fmt::print("bytes_per_second {:.0f}\n", active.at("bw_bytes").get<double>());
        fmt::print("requests_per_second {:.2f}\n", active.at("iops").get<double>());
        fmt::print("latency_us {:.2f}\n", active.at("lat_ns").at("mean").get<double>() / 1e3);
        fmt::print("seconds {:.4f}\n", active.at("runtime").get<double>() / 1e3);
    } catch (const nlohmann::json::exception& problem) {
        fmt::print(stderr, "fio_figures: not what fio writes: {}\n", problem.what());
        return 1;
    }
}
