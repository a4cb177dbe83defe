#pragma once

// Peers played by hand, for the tests of what Belay does with a peer that is not Belay or means
// ill.
//
// May know: the wire's codecs (whose bytes it spoils) and core/ffs (to stand on a UDC); the smoo
// peers know neither our codecs nor our engines: what they send is written from the protocol's
// facts.
// - fake_gadget.h: a gadget with both interfaces, its ep0 and its endpoints in a script's hands.
// - gadget_scripts.h: what the hostile gadget does, by name; hostile_gadget.cpp runs one.
// - usb_peer.h: one interface of a gadget through plain libusb; hostile_host.cpp abuses it.
// - smoo_wire.h, smoo_gadget.cpp, smoo_host.cpp: the two ends of v0.
// - bench.h: what the three test programs share.
// Start reading at tests/vm/tst_hostile.cpp.
