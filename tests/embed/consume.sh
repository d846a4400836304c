#!/bin/sh
# Installs mote and uses it as an application would. Usage: consume.sh install|cmake|pkg-config|folder
# Environment: CMAKE, GENERATOR, CXX, FLAGS, REPOSITORY, BUILD, WORK (a scratch folder), MODEL (a small file to open)
set -eu
consumer=$REPOSITORY/tests/embed/consumer
prefix="$WORK/a prefix"

configure() { # folder, further arguments
  folder=$1
  shift
  rm -rf "$folder"
  "$CMAKE" -S "$consumer" -B "$folder" -G "$GENERATOR" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_FLAGS="$FLAGS" "$@"
}

run_programs() {
  "$1/decode"
  "$1/story" "$MODEL" >"$1/story.txt"
  [ -s "$1/story.txt" ] || { echo "no story"; exit 1; }
}

case $1 in
  install)
    rm -rf "$WORK"
    mkdir -p "$WORK"
    "$CMAKE" --install "$BUILD" --prefix "$WORK/elsewhere"
    # What was installed can be moved.
    mv "$WORK/elsewhere" "$prefix"
    if grep -r -l -F -e "$BUILD" -e "$REPOSITORY" -e "$WORK" "$prefix" --include='*.cmake' --include='*.pc' --include='*.h'; then
      echo "an installed file names a folder of this machine"
      exit 1
    fi
    ;;
  cmake)
    configure "$WORK/cmake" -DCMAKE_PREFIX_PATH="$prefix"
    "$CMAKE" --build "$WORK/cmake"
    run_programs "$WORK/cmake"
    ;;
  pkg-config)
    mkdir -p "$WORK/pkg-config"
    pc=$(find "$prefix" -name mote.pc)
    PKG_CONFIG_PATH=$(dirname "$pc")
    export PKG_CONFIG_PATH
    pkg-config --atleast-version=0.1 mote
    for program in decode story; do
      # pkg-config quotes the blanks of the prefix for a shell.
      eval "\"\$CXX\" -std=c++20 $FLAGS \"\$consumer/$program.cpp\" $(pkg-config --cflags --libs mote) -o \"\$WORK/pkg-config/$program\""
    done
    run_programs "$WORK/pkg-config"
    ;;
  folder)
    # Configured only: building would take as long as mote itself.
    configure "$WORK/folder" -DMOTE_FOLDER="$REPOSITORY"
    "$CMAKE" --build "$WORK/folder" --target help >"$WORK/folder/targets.txt"
    if grep -E 'unit_tests|bench_breakdown|quantize' "$WORK/folder/targets.txt"; then
      echo "as a part of another project mote brings its own programs"
      exit 1
    fi
    grep -q mote "$WORK/folder/targets.txt"
    ;;
esac
