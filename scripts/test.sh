#!/usr/bin/env bash
# Installs what is missing, builds the ci preset (warnings are errors) and runs every test.
#
#   scripts/test.sh [arguments for ctest]
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

install_packages "${icb_build_packages[@]}" "${icb_run_packages[@]}" "${icb_test_packages[@]}"
build ci all
ctest --preset ci -j "$(nproc)" "$@"
