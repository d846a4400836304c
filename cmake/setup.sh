# Sourced by bench.sh and check.sh: from a bare Debian to a configured build. Everything it says goes to stderr, so that the
# standard output belongs to the program that runs afterwards.

mote_root=$(cd "$(dirname "$0")/.." && pwd)
mote_build=$mote_root/build/release

# The packages of dependencies.txt; those of the checks of aarch64 and in a browser only if MOTE_AARCH64 or MOTE_BROWSER is not empty.
# $1: those with this second word.
mote_dependencies() {
  sed -e 's/#.*//' "$mote_root/cmake/dependencies.txt" | awk -v word="${1:-}" \
    -v asked=" arm64 ${MOTE_AARCH64:+aarch64} ${MOTE_BROWSER:+browser} " '
    NF > 0 && (word == "" ? $2 == "" || index(asked, " " $2 " ") : $2 == word) { print $1 }'
}

# Whether the program $1 is a CMake that the project accepts.
mote_cmake_suits() {
  command -v "$1" >/dev/null 2>&1 || return 1
  "$1" --version 2>/dev/null | awk '
    /^cmake version/ { split($3, v, "."); found = 1; good = v[1] > 3 || (v[1] == 3 && v[2] >= 25) }
    END { exit !(found && good) }'
}

# Prints a suitable CMake, the system's first.
mote_find_cmake() {
  for candidate in /usr/bin/cmake cmake; do
    if mote_cmake_suits "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# Prints the packages that are missing, on one line.
mote_missing_packages() {
  missing=
  for package in $(mote_dependencies); do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
      "install ok installed" | "hold ok installed") ;;
      *)
        if [ "$package" = cmake ] && mote_find_cmake >/dev/null; then continue; fi
        missing="$missing${missing:+ }$package"
        ;;
    esac
  done
  echo "$missing"
}

# Installs what is missing, or says what is and stops.
mote_install_dependencies() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "mote: not a Debian system: taking what cmake/dependencies.txt lists as installed" >&2
    return 0
  fi
  packages=$(mote_missing_packages)
  [ -n "$packages" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "mote: packages are missing; install them with: sudo apt-get install --no-install-recommends $packages" >&2
    exit 1
  fi
  echo "mote: installing with apt-get: $packages" >&2
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  # shellcheck disable=SC2086 # a list of words
  if ! { apt-get update -q && apt-get install -q -y --no-install-recommends $packages; } </dev/null >&2; then
    echo "mote: apt-get could not install the missing packages" >&2
    exit 1
  fi
}

# mote_build_release [TARGET]: configures and builds everything, or one target. MOTE_CMAKE_ARGS: more arguments for CMake.
mote_build_release() {
  mote_install_dependencies
  if ! mote_cmake=$(mote_find_cmake); then
    echo "mote: no CMake of version 3.25 or later; found: $(cmake --version 2>/dev/null | head -n 1)" >&2
    exit 1
  fi
  # shellcheck disable=SC2086 # a list of words
  "$mote_cmake" --preset release -S "$mote_root" ${MOTE_CMAKE_ARGS:-} >&2
  "$mote_cmake" --build "$mote_build" ${1:+--target "$1"} >&2
}

# mote_ctest ARGUMENT...: runs the tests of a build.
mote_ctest() {
  ctest=$(dirname "$mote_cmake")/ctest
  [ -x "$ctest" ] || ctest=ctest
  "$ctest" --output-on-failure --no-tests=error --timeout 600 --parallel "$(getconf _NPROCESSORS_ONLN)" "$@"
}
