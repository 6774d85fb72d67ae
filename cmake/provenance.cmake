# Writes <build>/generated/icb_build_info.inc at every build: what was compiled, from which commit, how.
string(TOUPPER "${CMAKE_BUILD_TYPE}" icb_build_type_upper)
add_custom_target(icb_provenance
  COMMAND ${CMAKE_COMMAND}
    -DSOURCE_DIR=${PROJECT_SOURCE_DIR}
    -DOUTPUT=${PROJECT_BINARY_DIR}/generated/icb_build_info.inc
    -DVERSION=${PROJECT_VERSION}
    -DBUILD_TYPE=${CMAKE_BUILD_TYPE}
    -DPRESET=${ICB_PRESET}
    -DFFT=${ICB_FFT}
    "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
    "-DFLAGS=${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${icb_build_type_upper}} -ffp-contract=off"
    -P ${PROJECT_SOURCE_DIR}/cmake/write_build_info.cmake
  BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/icb_build_info.inc
  VERBATIM)
