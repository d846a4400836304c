#!/bin/sh
# Builds for aarch64 with Debian's cross compiler and, under qemu-user, runs all tests that are programs of that build; then
# compares logits with those of build/release. check.sh runs it where both are installed; MOTE_AARCH64=1 installs them.
set -eu
. "$(dirname "$0")/setup.sh"
mote_aarch64=$mote_root/build/aarch64
mote_aarch64_root=$mote_root/build/aarch64-root

# Unpacks the libraries of that architecture there. Nothing is installed: apt keeps its lists of it in the same folder.
mote_unpack_arm64() {
  packages=$(mote_dependencies arm64 | tr '\n' ' ')
  [ "$(cat "$mote_aarch64_root/unpacked" 2>/dev/null)" != "$packages" ] || return 0
  echo "mote: unpacking for aarch64: $packages" >&2
  rm -rf "$mote_aarch64_root"
  state=$mote_aarch64_root/apt
  mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/packages"
  : >"$state/status"
  apt_arm64() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State=$state" -o "Dir::State::status=$state/status" \
      -o "Dir::Cache=$state" "$@" </dev/null >&2
  }
  # shellcheck disable=SC2086 # a list of words
  apt_arm64 update && (cd "$state/packages" && apt_arm64 download $packages) || return 1
  for package in "$state"/packages/*.deb; do dpkg-deb -x "$package" "$mote_aarch64_root"; done
  rm -rf "$state"
  echo "$packages" >"$mote_aarch64_root/unpacked"
}

# mote_logits BUILD [ARGUMENT]...: the hash of the logits of a random model.
mote_logits() {
  build=$1
  shift
  set -- "$build/bin/logits" --preset smollm-135m --tokens 1,22,333,4444,5,6,7,8,9,10,11 --sha256 "$@"
  if [ "$build" = "$mote_aarch64" ]; then set -- qemu-aarch64 -cpu max "$@"; fi
  "$@"
}

mote_build_release logits
if ! mote_unpack_arm64; then
  echo "mote: not checked for aarch64: its libraries are not to be had" >&2
  [ -z "${MOTE_AARCH64:-}" ] && exit 0 || exit 1
fi
# shellcheck disable=SC2086 # a list of words
"$mote_cmake" --preset aarch64 -S "$mote_root" ${MOTE_CMAKE_ARGS:-} >&2
"$mote_cmake" --build "$mote_aarch64" --target kernel_tests unit_tests property_tests golden_tests fuzz_tests logits >&2
mote_ctest --test-dir "$mote_aarch64" -R '^(kernel|unit|property|golden|fuzz)/|^lint/(ISA units export one table|symbols of the library)$'
for mix in Q4_K_M Q6_K Q8_0; do
  expected=$(mote_logits "$mote_build" --type $mix)
  for isa in scalar neon neon-dotprod neon-i8mm; do
    found=$(mote_logits "$mote_aarch64" --type $mix --isa $isa)
    if [ "$found" != "$expected" ]; then
      echo "logits of smollm-135m $mix: $found on $isa, $expected in $mote_build"
      exit 1
    fi
  done
  echo "logits of smollm-135m $mix: the same bits on aarch64 as in $mote_build"
done
