#include "tests/vm/ffs/host_end.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QThread>
#include <algorithm>
#include <mutex>

using belay::ffs::Endpoint;
using belay::ffs::Kind;

namespace ffstest {
namespace {

// The sysfs name of the device with this serial number, such as "1-1".
QString deviceName(const QByteArray& serial) {
    const QDir devices(QStringLiteral("/sys/bus/usb/devices"));
    for (const QString& name : devices.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile file(devices.filePath(name + QStringLiteral("/serial")));
        if (file.open(QIODevice::ReadOnly) && file.readAll().trimmed() == serial)
            return name;
    }
    return {};
}

// Callbacks run in whichever thread handles events, so all of it is under the lock.
struct Run {
    const Job& job;
    std::uint32_t count;
    bool in;
    std::mutex lock{};
    std::uint32_t submitted = 0;
    std::uint32_t ended = 0;
    Outcome outcome;
};

struct Slot {
    Run* run = nullptr;
    std::uint32_t index = 0;
    libusb_transfer* transfer = nullptr;
    std::vector<unsigned char> buffer;

    std::span<std::byte> bytes() const {
        return {reinterpret_cast<std::byte*>(transfer->buffer),
                static_cast<std::size_t>(transfer->length)};
    }
    void submit() {
        index = run->submitted;
        transfer->length = static_cast<int>(lengthOf(run->job, index));
        if (!run->in && run->job.check != 0)
            fill(bytes(), index);
        if (libusb_submit_transfer(transfer) == 0)
            ++run->submitted;
        else if (run->outcome.status == 0)
            run->outcome.status = -1;
    }
};

void LIBUSB_CALL ended(libusb_transfer* transfer) {
    auto& slot = *static_cast<Slot*>(transfer->user_data);
    Run& run = *slot.run;
    const std::lock_guard guard(run.lock);
    ++run.ended;
    if (transfer->status != LIBUSB_TRANSFER_COMPLETED) {
        if (run.outcome.status == 0)
            run.outcome.status = transfer->status;
        return;
    }
    if (transfer->actual_length != transfer->length || slot.index != run.outcome.done)
        ++run.outcome.wrong;
    else if (run.in && run.job.check != 0 && !isFilled(slot.bytes(), slot.index))
        ++run.outcome.wrong;
    ++run.outcome.done;
    if (run.submitted < run.count && run.outcome.status == 0)
        slot.submit();
}

}  // namespace

std::unique_ptr<Host> Host::find(const QByteArray& serial, Kind kind, int milliseconds) {
    std::unique_ptr<Host> host(new Host);
    QElapsedTimer timer;
    timer.start();
    while (!timer.hasExpired(milliseconds)) {
        if (host->open(serial, kind))
            return host;
        host.reset(new Host);
        QThread::msleep(5);
    }
    return nullptr;
}

bool Host::open(const QByteArray& serial, Kind kind) {
    const QString name = deviceName(serial);
    if (name.isEmpty())
        return false;
    sysfs_ = QStringLiteral("/sys/bus/usb/devices/") + name;
    // Without udevd libusb learns of devices only when it starts.
    if (libusb_init(&context_) != 0)
        return false;
    libusb_device** list = nullptr;
    const ssize_t count = libusb_get_device_list(context_, &list);
    for (ssize_t i = 0; i < count && handle_ == nullptr; ++i) {
        QString path = QString::number(libusb_get_bus_number(list[i])) + QLatin1Char('-') +
                       QString::number(libusb_get_port_number(list[i]));
        if (path == name && libusb_open(list[i], &handle_) != 0)
            handle_ = nullptr;
    }
    libusb_free_device_list(list, 1);
    if (handle_ == nullptr ||
        libusb_get_active_config_descriptor(libusb_get_device(handle_), &config_) != 0)
        return false;
    const std::uint8_t protocol = kind == Kind::Lend ? 0x4d : 0x4e;
    for (int i = 0; i < config_->bNumInterfaces; ++i)
        if (config_->interface[i].altsetting->bInterfaceProtocol == protocol)
            descriptor_ = config_->interface[i].altsetting;
    if (descriptor_ == nullptr)
        return false;
    number_ = descriptor_->bInterfaceNumber;
    return libusb_claim_interface(handle_, number_) == 0;
}

Host::~Host() {
    if (config_ != nullptr)
        libusb_free_config_descriptor(config_);
    if (handle_ != nullptr)
        libusb_close(handle_);
    if (context_ != nullptr)
        libusb_exit(context_);
}

QString Host::port() const {
    const int bus = libusb_get_bus_number(libusb_get_device(handle_));
    return QStringLiteral("/sys/bus/usb/devices/%1-0:1.0/usb%1-port1").arg(bus);
}

std::uint8_t Host::address(Endpoint endpoint) const {
    return descriptor_->endpoint[static_cast<std::size_t>(endpoint)].bEndpointAddress;
}

std::size_t Host::messagePacketBytes() const {
    return descriptor_->endpoint[0].wMaxPacketSize;
}

int Host::in(std::uint8_t request, void* data, std::uint16_t length, std::uint16_t value,
             unsigned milliseconds) {
    return libusb_control_transfer(handle_, 0xc1, request, value,
                                   static_cast<std::uint16_t>(number_),
                                   static_cast<unsigned char*>(data), length, milliseconds);
}

int Host::out(std::uint8_t request, const void* data, std::uint16_t length, unsigned milliseconds) {
    auto* bytes = static_cast<unsigned char*>(const_cast<void*>(data));
    return libusb_control_transfer(handle_, 0x41, request, 0, static_cast<std::uint16_t>(number_),
                                   bytes, length, milliseconds);
}

Report Host::report() {
    Report report;
    in(kAsk, &report, sizeof report);
    return report;
}

bool Host::start(const Job& job) {
    const std::uint32_t before = report().linksUp;
    if (out(kStart, &job, sizeof job) != sizeof job)
        return false;
    for (int i = 0; i < 200; ++i) {
        if (report().linksUp > before)
            return true;
        QThread::msleep(1);
    }
    return false;
}

Outcome Host::sendPayloads(const Job& job, std::uint32_t count, unsigned milliseconds) {
    return run(job, count, false, milliseconds);
}

Outcome Host::receivePayloads(const Job& job, std::uint32_t count, unsigned milliseconds) {
    return run(job, count, true, milliseconds);
}

Outcome Host::run(const Job& job, std::uint32_t count, bool in, unsigned milliseconds) {
    Run run{.job = job, .count = count, .in = in};
    std::vector<Slot> inFlight(std::min(job.depth, count));
    for (Slot& slot : inFlight) {
        slot.run = &run;
        slot.buffer.resize(job.size);
        slot.transfer = libusb_alloc_transfer(0);
        libusb_fill_bulk_transfer(
            slot.transfer, handle_, address(in ? Endpoint::PayloadIn : Endpoint::PayloadOut),
            slot.buffer.data(), static_cast<int>(job.size), ended, &slot, milliseconds);
    }
    QElapsedTimer timer;
    timer.start();
    std::unique_lock guard(run.lock);
    for (Slot& slot : inFlight)
        slot.submit();
    while (run.ended < run.submitted) {
        guard.unlock();
        timeval wait{0, 10'000};
        libusb_handle_events_timeout(context_, &wait);
        guard.lock();
    }
    guard.unlock();
    run.outcome.seconds = static_cast<double>(timer.nsecsElapsed()) / 1e9;
    for (const Slot& slot : inFlight)
        libusb_free_transfer(slot.transfer);
    return run.outcome;
}

int Host::message(unsigned char* data, int length, Endpoint endpoint, unsigned wait) {
    const auto& descriptor = descriptor_->endpoint[static_cast<std::size_t>(endpoint)];
    const bool interrupt = (descriptor.bmAttributes & 3) == LIBUSB_TRANSFER_TYPE_INTERRUPT;
    int moved = 0;
    const int result = (interrupt ? libusb_interrupt_transfer : libusb_bulk_transfer)(
        handle_, descriptor.bEndpointAddress, data, length, &moved, wait);
    return result == 0 ? moved : result;
}

int Host::sendMessage(const QByteArray& transfer, unsigned milliseconds) {
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(transfer.data()));
    return message(data, static_cast<int>(transfer.size()), Endpoint::MessageOut, milliseconds);
}

int Host::receiveMessage(QByteArray& transfer, unsigned milliseconds) {
    auto* data = reinterpret_cast<unsigned char*>(transfer.data());
    const int length =
        message(data, static_cast<int>(transfer.size()), Endpoint::MessageIn, milliseconds);
    transfer.resize(std::max(length, 0));
    return length;
}

}  // namespace ffstest
