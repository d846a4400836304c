#!/bin/sh
# cmake/setup.sh on systems that are not this one: programs of the same names in front of PATH play dpkg-query, apt-get and id.
# Usage: setup_scripts.sh REPOSITORY
set -eu
repository=$1
unset MOTE_AARCH64 MOTE_BROWSER
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"

# dpkg-query knows the packages named in the file "installed"; apt-get installs into it and logs.
cat >"$scratch/bin/dpkg-query" <<END
#!/bin/sh
for package; do :; done
grep -q -x -F -e "\$package" "$scratch/installed" || exit 1
printf 'install ok installed'
END
cat >"$scratch/bin/apt-get" <<END
#!/bin/sh
echo "apt-get \$*" >>"$scratch/log"
[ -t 0 ] && echo "a terminal" >>"$scratch/log"
[ "\$DEBIAN_FRONTEND" = noninteractive ] || echo "asks questions" >>"$scratch/log"
[ -e "$scratch/no_network" ] && exit 100
echo "apt-get speaks on its standard output"
if [ "\$1" = install ]; then for word; do echo "\$word" >>"$scratch/installed"; done; fi
END
printf '#!/bin/sh\ncat "%s/uid"\n' "$scratch" >"$scratch/bin/id"
chmod +x "$scratch"/bin/*

# run: installs the dependencies as bench.sh and check.sh would; leaves status, out, err and log.
run() {
  : >"$scratch/log"
  status=0
  PATH="$scratch/bin:$PATH" sh -c 'set -eu; . "$(dirname "$0")/setup.sh"; mote_install_dependencies; echo ready' \
    "$repository/cmake/check.sh" >"$scratch/out" 2>"$scratch/err" || status=$?
}
fail() {
  echo "$1"
  for f in out err log; do sed "s/^/$f: /" "$scratch/$f"; done
  exit 1
}

all=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$repository/cmake/dependencies.txt" | awk '{ print $1 }')
[ "$(echo "$all" | wc -l)" -ge 8 ] || fail "the list of dependencies is short"

# All there: nothing is said or done.
echo "$all" >"$scratch/installed"
echo 1000 >"$scratch/uid"
run
{ [ "$status" -eq 0 ] && [ "$(cat "$scratch/out")" = ready ] && ! [ -s "$scratch/err" ] && ! [ -s "$scratch/log" ]; } || fail "all is there, and yet"

# Two missing, no root: one line that names both and the command, and the end.
echo "$all" | grep -v -x -e catch2 -e libfmt-dev >"$scratch/installed"
run
{ [ "$status" -eq 1 ] && ! [ -s "$scratch/out" ] && ! [ -s "$scratch/log" ]; } || fail "without root it must stop"
[ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "one line without root"
grep -q 'apt-get install .*libfmt-dev catch2$' "$scratch/err" || fail "the command without root"

# The same as root: one line, then apt-get, without questions; its words do not reach the standard output.
echo 0 >"$scratch/uid"
run
{ [ "$status" -eq 0 ] && [ "$(cat "$scratch/out")" = ready ]; } || fail "root installs"
[ "$(head -n 1 "$scratch/err")" = "mote: installing with apt-get: libfmt-dev catch2" ] || fail "what it says first"
[ "$(cat "$scratch/log")" = "apt-get update -q
apt-get install -q -y --no-install-recommends libfmt-dev catch2" ] || fail "what apt-get is told"
run
{ [ "$status" -eq 0 ] && ! [ -s "$scratch/err" ]; } || fail "installed once is enough"

# Nothing there at all; a CMake that suits counts as the package.
: >"$scratch/installed"
run
[ "$status" -eq 0 ] || fail "a bare system"
grep -q -e 'install .* g++ ninja-build' "$scratch/log" || fail "cmake is there already"
! grep -q -e aarch64 -e chromium "$scratch/log" || fail "nobody asked for aarch64, or for a browser"

# With what the check of aarch64 takes.
: >"$scratch/installed"
MOTE_AARCH64=1
export MOTE_AARCH64
run
unset MOTE_AARCH64
grep -q -e 'catch2 g++-aarch64-linux-gnu qemu-user$' "$scratch/log" || fail "the cross compiler and qemu"

# With what the check in a browser takes.
: >"$scratch/installed"
MOTE_BROWSER=1
export MOTE_BROWSER
run
unset MOTE_BROWSER
grep -q -e 'catch2 python3 chromium chromium-driver' "$scratch/log" || fail "the browser"

# No network.
: >"$scratch/installed"
: >"$scratch/no_network"
run
{ [ "$status" -eq 1 ] && ! [ -s "$scratch/out" ]; } || fail "apt-get fails"
[ "$(tail -n 1 "$scratch/err")" = "mote: apt-get could not install the missing packages" ] || fail "what it says when apt-get fails"

# CMakes that suit and that do not.
for version in 3.25.0 3.31.6 4.0 4.10.2-rc1; do
  printf '#!/bin/sh\necho "cmake version %s"\n' "$version" >"$scratch/bin/a_cmake"
  chmod +x "$scratch/bin/a_cmake"
  PATH="$scratch/bin:$PATH" sh -c '. "$(dirname "$0")/setup.sh"; mote_cmake_suits a_cmake' "$repository/cmake/check.sh" || fail "CMake $version suits"
done
for version in 2.8.12 3.9.6 3.24.9 ""; do
  printf '#!/bin/sh\necho "cmake version %s"\n' "$version" >"$scratch/bin/a_cmake"
  if PATH="$scratch/bin:$PATH" sh -c '. "$(dirname "$0")/setup.sh"; mote_cmake_suits a_cmake' "$repository/cmake/check.sh"; then fail "CMake $version is too old"; fi
done
echo "all fine"
