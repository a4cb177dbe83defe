#pragma once

// core/usb: the host's end of the cable.
//
// What it is for: notices gadgets that offer one of our interfaces (sysfs and udev), talks to one
// of them through an opened usbfs descriptor (libusb), and turns an interface's four endpoints
// into a wire::Link.
// What it may know: libusb, libudev, usbfs, sysfs, and the bytes of USB descriptors; nothing of
// sessions, exports or ublk, and nothing of what the messages or control requests mean.
// Where to start reading: interface.h (what is looked for), discovery.h (when it is there),
// device.h (control requests and resets), host_link.h (the pipes).
