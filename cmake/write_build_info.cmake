find_package(Git QUIET)
set(commit "unknown")
set(dirty "true")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE_DIR} rev-parse HEAD
    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0)
    set(commit ${head})
    # Generated results may differ while they are being regenerated; sources may not.
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE_DIR} status --porcelain -- . ":!results"
      OUTPUT_VARIABLE changes OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(changes STREQUAL "")
      set(dirty "false")
    endif()
  endif()
endif()
string(STRIP "${FLAGS}" FLAGS)
string(REGEX REPLACE " +" " " FLAGS "${FLAGS}")
set(text "constexpr BuildInfo compiled{\n\
    .version = \"${VERSION}\",\n\
    .commit = \"${commit}\",\n\
    .dirty = ${dirty},\n\
    .compiler = \"${COMPILER}\",\n\
    .flags = \"${FLAGS}\",\n\
    .build_type = \"${BUILD_TYPE}\",\n\
    .preset = \"${PRESET}\",\n\
    .fft = \"${FFT}\",\n};\n")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
