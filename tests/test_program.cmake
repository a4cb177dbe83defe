# belay_test_program(TARGET MAIN sources...): a Qt Test program whose first source, MAIN, includes its own .moc at the
# end. AUTOMOC would start two programs more for each, and compile an empty file more.
function(belay_test_program target main)
  get_filename_component(name ${main} NAME_WE)
  set(moc ${CMAKE_CURRENT_BINARY_DIR}/${name}.moc)
  # Without include folders: what is included tells moc nothing that it needs.
  add_custom_command(OUTPUT ${moc} COMMAND Qt6::moc -o ${moc} ${CMAKE_CURRENT_SOURCE_DIR}/${main}
    DEPENDS ${main} VERBATIM)
  add_executable(${target} ${main} ${moc} ${ARGN})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
