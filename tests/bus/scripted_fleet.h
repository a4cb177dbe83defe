#pragma once

#include "helper/supervisor/fleet.h"

#include <vector>

namespace belay::test {

// A fleet that is what the test says and does what the test says, so that the bus above it can be
// tested where no kernel makes devices.
class ScriptedFleet final : public helper::FleetInterface {
 public:
    struct Lent {
        std::string gadget;
        Fd file;
        std::string name;
        helper::LendTerms terms;
    };
    struct Asked {
        std::string device;
        bool flag = false;  // acceptLoss or force
        Done done;
    };
    struct Attached {
        std::string gadget;
        std::string share;
        DeviceDone done;
    };

    std::map<std::string, helper::GadgetView> gadgetViews;
    std::map<std::string, helper::DeviceView> deviceViews;
    std::vector<helper::RequestView> requestViews;
    // What was asked and waits for the test.
    std::vector<Asked> recovers;
    std::vector<Asked> stops;
    std::vector<Asked> rescans;
    std::vector<Attached> attaches;
    std::vector<Lent> lent;
    Result<void> answer;                 // to everything that is answered at once
    bool instant = false;                // nothing waits: all is done at once
    bool mute = false;                   // requests are not listed, however long one waits
    std::vector<RequestsDone> unlisted;  // what waits for them then
    int requestsAsked = 0;
    bool watched = false;
    bool shutdown = false;
    bool sleep = false;

    std::vector<std::string> gadgets() const override { return keys(gadgetViews); }
    std::vector<std::string> devices() const override { return keys(deviceViews); }
    std::optional<helper::GadgetView> gadget(const std::string& id) const override {
        const auto found = gadgetViews.find(id);
        return found == gadgetViews.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<helper::DeviceView> device(const std::string& id, bool) const override {
        const auto found = deviceViews.find(id);
        return found == deviceViews.end() ? std::nullopt : std::optional(found->second);
    }
    void attach(const std::string& id, const std::string& share, DeviceDone done) override {
        if (instant)
            done(std::string("d1"));
        else
            attaches.push_back({id, share, std::move(done)});
    }
    void lend(const std::string& id, Fd file, const std::string& name,
              const helper::LendTerms& terms, DeviceDone done) override {
        lent.push_back({id, std::move(file), name, terms});
        finish(std::move(done));
    }
    void lendPath(const std::string& id, const std::string& path, const helper::LendTerms& terms,
                  DeviceDone done) override {
        lent.push_back({id, Fd(), path, terms});
        finish(std::move(done));
    }
    Result<void> setAutoAttach(const std::string& id, bool on) override {
        if (answer)
            gadgetViews.at(id).autoAttach = on;
        return answer;
    }
    Result<void> forget(const std::string&) override { return answer; }
    void recover(const std::string& id, bool acceptLoss, Done done) override {
        if (instant)
            done({});
        else
            recovers.push_back({id, acceptLoss, std::move(done)});
    }
    void stop(const std::string& id, bool force, Done done) override {
        if (instant)
            done({});
        else
            stops.push_back({id, force, std::move(done)});
    }
    Result<void> setPolicy(const std::string& id, lifecycle::Policy policy) override {
        if (answer)
            deviceViews.at(id).policy = policy;
        return answer;
    }
    void rescan(const std::string& id, Done done) override {
        if (instant)
            done({});
        else
            rescans.push_back({id, false, std::move(done)});
    }
    void requests(const std::string&, RequestsDone done) override {
        ++requestsAsked;
        if (mute)
            unlisted.push_back(std::move(done));
        else
            done(requestViews);
    }
    void watchCounters(bool on) override { watched = on; }
    void systemShutsDown(bool on) override { shutdown = on; }
    void systemSleeps(bool on) override { sleep = on; }

 private:
    template <class View>
    static std::vector<std::string> keys(const std::map<std::string, View>& views) {
        std::vector<std::string> ids;
        for (const auto& [id, view] : views)
            ids.push_back(id);
        return ids;
    }
    void finish(DeviceDone done) {
        if (answer)
            done(std::string("d1"));
        else
            done(tl::make_unexpected(answer.error()));
    }
};

// A fleet with the gadget g1, which shares two exports, and the device d1 made of the first.
inline void fill(ScriptedFleet& fleet) {
    auto& gadget = fleet.gadgetViews["g1"];
    gadget.id = "g1";
    gadget.name = "Belay gadget";
    gadget.serial = "my-phone";
    gadget.vendorId = 0x1d6b;
    gadget.productId = 0x0104;
    gadget.port = "1-2";
    gadget.speedMbps = 480;
    gadget.present = true;
    gadget.link = "open";
    gadget.sharesKnown = true;
    gadget.protocol = "native";
    gadget.shares = {
        {"disk", *Uuid::parse("6ba7b810-9dad-41d1-80b4-00c04fd430c8"), 1 << 20, 512, false, true},
        {"music", *Uuid::parse("6ba7b811-9dad-41d1-80b4-00c04fd430c8"), 1 << 21, 4096, true,
         false}};
    auto& device = fleet.deviceViews["d1"];
    device.id = "d1";
    device.gadget = "g1";
    device.exportUuid = gadget.shares[0].uuid;
    device.label = "disk";
    device.sizeBytes = 1 << 20;
    device.blockSize = 512;
    device.state = lifecycle::State::Live;
    device.sinceUs = 1'700'000'000'000'000;
    device.node = "/dev/ublkb0";
    device.ublkId = 0;
    device.daemonPid = 4711;
    device.holders = {{"mount", "/media/disk"}, {"process", "1234 (dd)"}};
    fleet.requestViews = {{7, "write", 4096, 512, "sent", 12}, {8, "flush", 0, 0, "parked", 3}};
}

}  // namespace belay::test
