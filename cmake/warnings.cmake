# Flags of every target of ours. Strict floating point everywhere: a fused multiply-add changes the
# orbit of a real-valued map within sixty steps, and the last digits of every statistic.
add_library(icb_flags INTERFACE)
target_compile_options(icb_flags INTERFACE
  -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wcast-qual -Wformat=2)
target_include_directories(icb_flags INTERFACE ${PROJECT_SOURCE_DIR})
