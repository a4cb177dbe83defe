# CMake toolchain file: builds for 32-bit ARM (ARMv7 with hardware floating point, Debian's armhf) on another Debian or
# Ubuntu, with its cross compiler and its armhf packages (packaging/setup armhf installs both).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(triplet arm-linux-gnueabihf)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${triplet}/pkgconfig:/usr/share/pkgconfig)
# Programs that the build runs, as moc, are this machine's.
set(QT_HOST_PATH /usr CACHE PATH "Where this machine's own Qt is")
