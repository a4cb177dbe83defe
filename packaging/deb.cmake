# Packages for Debian and what is made of it: belay for the host, belay-gadget for the gadget. See deb, which makes them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME belay)
set(CPACK_PACKAGE_CONTACT "The Belay developers <belay@belay.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL belay belay-gadget)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_BELAY_PACKAGE_NAME belay)
set(CPACK_COMPONENT_BELAY_DESCRIPTION "Block devices over USB that survive a pulled cable, for the host
Makes a block device of what a phone or a board shares over USB, and lends
disks of this computer to it. When the cable is pulled or a program dies,
requests wait and go on when it is back. With a service on the system bus,
a window and a tray.")
set(CPACK_DEBIAN_BELAY_PACKAGE_DEPENDS "dbus, polkitd, procps, systemd, udev, qt6-qpa-plugins | libqt6gui6, qt6-svg-plugins | libqt6svg6")
set(CPACK_DEBIAN_BELAY_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_SOURCE_DIR}/deb.d/belay/postinst
  ${CMAKE_CURRENT_SOURCE_DIR}/deb.d/belay/prerm
  ${CMAKE_CURRENT_SOURCE_DIR}/deb.d/belay/postrm
  ${CMAKE_CURRENT_SOURCE_DIR}/deb.d/belay/conffiles)

set(CPACK_DEBIAN_BELAY-GADGET_PACKAGE_NAME belay-gadget)
set(CPACK_COMPONENT_BELAY-GADGET_DESCRIPTION "Block devices over USB that survive a pulled cable, for the gadget
Shares files and disks of a phone or a board with the computer it is plugged
into, or makes block devices of what that computer lends.")
set(CPACK_DEBIAN_BELAY-GADGET_PACKAGE_DEPENDS "kmod")
set(CPACK_DEBIAN_BELAY-GADGET_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_SOURCE_DIR}/deb.d/belay-gadget/postinst
  ${CMAKE_CURRENT_SOURCE_DIR}/deb.d/belay-gadget/prerm
  ${CMAKE_CURRENT_SOURCE_DIR}/deb.d/belay-gadget/postrm)
include(CPack)
