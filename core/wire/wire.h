#pragma once

// core/wire: what travels over the cable, as bytes and as values.
//
// What it is for: the messages of both protocols (v0, smoo's, and v1, our own), the ep0 requests
// that open a session, the list of exports, and the interface of a link that carries them.
// What it may know: core/base only. The codecs are pure: no descriptor, no clock, no state but
// that of a list arriving in pages. Everything decoded here comes from a peer that may be
// hostile, so each decoder refuses what it does not fully understand and names the reason.
// Where to start reading: message.h (the values), native.h (their bytes), link.h (the pipes),
// then control_codec.h and export_pages.h; smoo.h and smoo_map.h for v0.
