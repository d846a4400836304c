# Headers, library, package config and pkg-config file. All paths in them are relative: the installed tree can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS mote EXPORT mote_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/mote DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(mote_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mote)
install(EXPORT mote_targets NAMESPACE mote:: FILE moteTargets.cmake DESTINATION ${mote_package_dir})
configure_package_config_file(cmake/moteConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/moteConfig.cmake
  INSTALL_DESTINATION ${mote_package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/moteConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/moteConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/moteConfigVersion.cmake cmake/find_xnnpack.cmake
  DESTINATION ${mote_package_dir})

cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
  OUTPUT_VARIABLE mote_prefix_from_pc)
configure_file(cmake/mote.pc.in ${CMAKE_CURRENT_BINARY_DIR}/mote.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mote.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
