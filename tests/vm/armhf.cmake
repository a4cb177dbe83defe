# The tests of 32-bit ARM: what depends on the width of a word, and can do with the programs of those guests, which is
# busybox (see rig/run).

# Without what wants a file system made and mounted, bash, the cmp and the blockdev of GNU and util-linux, and memory of a
# dma-buf, which Debian's 32-bit kernel cannot make.
belay_add_vm_test(NAME ublk EXECUTABLE tst_ublk
  ARGS saysWhatIsMissing refusesWhatCannotBe recoversRequestsInFlight noticesDeathOfSaturatedServer
    survivesDeathAtEachStep stopsWhileQuiesced staysWholeThroughManyDeaths abandonsHungCommand)
belay_add_vm_test(NAME ffs EXECUTABLE tst_ffs)
# Without followsUdevToo, which wants udevd, and survivesACut, which measures that no more than 60 ms are computed.
belay_add_vm_test(NAME usb_link EXECUTABLE tst_usb_link
  ARGS reportsTheGadget followsPlugging answersControlRequests endsControlRequestsWithTheCable echoesMessagesInOrder
    movesPayloads mixesSizesInBothDirections wrongPayloadLengthEndsTheLink shutsDownOnce
    survivesACutWithoutALink resetInterfaceEmptiesThePipes resetOfThePortEndsTheLink sharesUsbfsMemory
    memoryOutlivesTheDevice throughput)

# On the 32-bit kernel, and on a 64-bit one below the same programs, as many phones and boards have it.
belay_add_vm_test(NAME large_disk EXECUTABLE tst_large_disk ARGS keepsItsPlaces KERNELS 6.12-armhf 6.12-arm64)
