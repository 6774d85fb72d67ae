# Sourced by reproduce.sh and test.sh: Debian packages, build, image set. Bash.
set -euo pipefail

icb_called_from=$PWD
icb_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$icb_root"

# from_caller PATH: a path as the caller meant it, whatever directory we work in.
from_caller() {
  case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s\n' "$icb_called_from/$1" ;;
  esac
}

icb_build_packages=(
  g++ cmake ninja-build git ca-certificates
  libopencv-dev libfmt-dev libboost-dev libssl-dev
  libfftw3-dev libhwy-dev libcli11-dev nlohmann-json3-dev libpng-dev libtiff-dev
)
icb_run_packages=(curl unzip python3 python3-numpy python3-matplotlib)
icb_clang_packages=(clang libclang-rt-14-dev)
icb_test_packages=(libgtest-dev libgmock-dev libbenchmark-dev)

say() {
  printf '%s\n' "$*" >&2
}

# install_packages NAME...: installs what is missing; asks for sudo only then, and only if not root.
install_packages() {
  local missing=() package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing Debian packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      say "these packages are missing and neither root nor sudo is at hand: ${missing[*]}"
      exit 3
    }
    as_root=(sudo)
  fi
  local failed="the packages could not be installed (is the network there?): ${missing[*]}"
  "${as_root[@]}" apt-get update -q >&2 || say "apt-get update failed; trying with what is known"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 || { say "$failed"; exit 3; }
}

# build PRESET TARGET...
build() {
  local preset=$1
  shift
  cmake --preset "$preset" >&2
  cmake --build --preset "$preset" --target "$@" >&2
}
