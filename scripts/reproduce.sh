#!/usr/bin/env bash
# Regenerates every table and figure of the paper.
#
#   scripts/reproduce.sh [--quick] [--data DIR] [--out DIR] [--threads N] [--seed N]
#
# Installs the Debian packages it needs, builds the release preset, looks for the USC-SIPI images, fetches them from the
# database's own site if there are none (else the generated set stands in, and every page says so), runs
# `icbench reproduce` and draws the figures.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "$icb_root/scripts/reproduce.sh"
}

options=()
data=""
out=""
quick=false
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=true; options+=(--quick) ;;
    --data|--out|--threads|--seed)
      [ $# -ge 2 ] || { say "$1 needs a value"; exit 2; }
      value=$2
      if [ "$1" = --data ]; then value=$(from_caller "$2"); data=$value; fi
      if [ "$1" = --out ]; then value=$(from_caller "$2"); out=$value; fi
      options+=("$1" "$value")
      shift ;;
    --help|-h) usage; exit 0 ;;
    *) say "unknown option: $1"; usage >&2; exit 2 ;;
  esac
  shift
done
if [ -z "$out" ]; then
  if $quick; then out=results/quick; else out=results/paper; fi
fi

install_packages "${icb_build_packages[@]}" "${icb_run_packages[@]}"
build release icbench
icbench=build/release/bench/icbench

if [ -n "${ICBENCH_DATA:-}" ]; then
  ICBENCH_DATA=$(from_caller "$ICBENCH_DATA")
  export ICBENCH_DATA
fi
if [ -z "$data" ] && [ -z "${ICBENCH_DATA:-}" ] &&
   [ ! -d datasets/sipi/misc ] && [ ! -d ../shared/sipi/misc ]; then
  say "no USC-SIPI images here; fetching them from the database's own site"
  "$icbench" datasets fetch --to datasets/sipi --volume misc --volume aerials || true
  if [ ! -d datasets/sipi/misc ]; then
    say "THE DATABASE COULD NOT BE FETCHED: the generated set stands in, and every page says so."
    say "Try again later, or give --data DIR with the volumes misc and aerials in it."
  fi
fi

started=$(mktemp)
trap 'rm -f "$started"' EXIT
status=0
"$icbench" reproduce "${options[@]}" || status=$?
# 3 with tables written: some images could not be read, the others are done. Old tables are not drawn as new.
if [ $status -ne 0 ] && { [ $status -ne 3 ] || [ ! "$out/manifest.json" -nt "$started" ]; }; then
  exit $status
fi
/usr/bin/python3 scripts/figures.py --results "$out"

say ""
say "tables and pictures: $out/README.md"
say "  tables:   $(cd "$out" && echo table*.csv errata.csv)"
say "  pictures: $(cd "$out" && echo *.png)"
exit $status
