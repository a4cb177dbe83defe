#pragma once

#include "core/ffs/descriptors.h"
#include "tests/vm/ffs/script.h"

#include <libusb.h>

#include <QByteArray>
#include <QString>
#include <cstdint>
#include <memory>
#include <vector>

namespace ffstest {

// How a run of payloads went, as the host saw it.
struct Outcome {
    std::uint32_t done = 0;
    std::uint32_t wrong = 0;
    int status = 0;  // of the first transfer that failed: enum libusb_transfer_status, or -1
    double seconds = 0;
};

// The host end of the test: libusb as it is, on one interface of the gadget.
class Host {
 public:
    // Waits for a device with this serial number and opens its interface of `kind`; null in vain.
    static std::unique_ptr<Host> find(const QByteArray& serial, belay::ffs::Kind kind,
                                      int milliseconds = 5000);
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    const libusb_interface_descriptor& interface() const { return *descriptor_; }
    libusb_device_handle* handle() const { return handle_; }
    // The device's folder in sysfs, and that of the port it is plugged into.
    QString sysfs() const { return sysfs_; }
    QString port() const;
    std::size_t messagePacketBytes() const;

    // ep0 requests to the interface; libusb's result.
    int in(std::uint8_t request, void* data, std::uint16_t length, std::uint16_t value = 0,
           unsigned milliseconds = 1000);
    int out(std::uint8_t request, const void* data, std::uint16_t length,
            unsigned milliseconds = 1000);
    Report report();
    // Starts a job and waits until the gadget's new link is up; false in vain.
    bool start(const Job& job);
    // SET_INTERFACE alternate setting 0; libusb's result.
    int resetInterface() { return libusb_set_interface_alt_setting(handle_, number_, 0); }

    // Sends (or receives, checking each) payloads 0 .. count-1 of the job, `depth` at once.
    Outcome sendPayloads(const Job& job, std::uint32_t count, unsigned milliseconds = 5000);
    Outcome receivePayloads(const Job& job, std::uint32_t count, unsigned milliseconds = 5000);
    // One message transfer; bytes moved, or libusb's error.
    int sendMessage(const QByteArray& transfer, unsigned milliseconds = 1000);
    int receiveMessage(QByteArray& transfer, unsigned milliseconds = 1000);

 private:
    Host() = default;
    bool open(const QByteArray& serial, belay::ffs::Kind kind);
    std::uint8_t address(belay::ffs::Endpoint endpoint) const;
    Outcome run(const Job& job, std::uint32_t count, bool in, unsigned milliseconds);
    int message(unsigned char* data, int length, belay::ffs::Endpoint endpoint, unsigned wait);

    libusb_context* context_ = nullptr;
    libusb_device_handle* handle_ = nullptr;
    libusb_config_descriptor* config_ = nullptr;
    const libusb_interface_descriptor* descriptor_ = nullptr;
    int number_ = 0;
    QString sysfs_;
};

}  // namespace ffstest
