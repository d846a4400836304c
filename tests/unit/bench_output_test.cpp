#include "bench/output.h"

#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "bench/bandwidth.h"
#include "bench/machine.h"
#include "tests/catch.h"
#include "tests/temp_dir.h"

using bench::Output;

TEST_CASE("A report's file appears when it is complete", "[bench]") {
  const mote::test::TempDir folder;
  auto output = Output::open(folder.file("report"));
  REQUIRE(output);
  CHECK(folder.count() == 0);
  REQUIRE(output->write("one\n"));
  REQUIRE(output->write("two\n"));
  CHECK(folder.count() == 0);
  REQUIRE(output->finish());
  CHECK(folder.read("report") == "one\ntwo\n");
  CHECK(folder.count() == 1);
}

TEST_CASE("A report takes the place of an older one, also behind a link", "[bench]") {
  const mote::test::TempDir folder;
  const std::string old = folder.write("old", "before");
  REQUIRE(symlink(old.c_str(), folder.file("link").c_str()) == 0);
  auto output = Output::open(folder.file("link"));
  REQUIRE(output);
  REQUIRE(output->write("after"));
  CHECK(folder.read("old") == "before");
  REQUIRE(output->finish());
  CHECK(folder.read("old") == "after");
  CHECK(std::filesystem::is_symlink(folder.file("link")));
  CHECK(folder.count() == 2);
}

TEST_CASE("A report that nobody finishes leaves nothing behind", "[bench]") {
  const mote::test::TempDir folder;
  {
    auto output = Output::open(folder.file("report"));
    REQUIRE(output);
    REQUIRE(output->write("half"));
  }
  CHECK(folder.count() == 0);
}

TEST_CASE("Where no file can be made is known before the work", "[bench]") {
  const mote::test::TempDir folder;
  const std::string file = folder.write("file", "");
  for (const std::string& path : {folder.file("no/such/folder"), folder.path(), file + "/below"}) {
    const auto output = Output::open(path);
    REQUIRE_FALSE(output);
    CHECK(output.error().code == mote::ErrorCode::io);
    CHECK(output.error().message.starts_with(path + ": "));
  }
}

TEST_CASE("A report can go to a pipe", "[bench]") {
  const mote::test::TempDir folder;
  const std::string path = folder.file("pipe");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  auto output = Output::open(path);
  REQUIRE(output);
  REQUIRE(output->write("through"));
  std::string read;
  std::thread reader([&] { read = folder.read("pipe"); });
  const mote::Status status = output->finish();
  reader.join();
  CHECK(status);
  CHECK(read == "through");
  CHECK(folder.count() == 1);
}

TEST_CASE("The machine has a processor, an ISA and memory that can be read", "[bench]") {
  const bench::Machine machine = bench::this_machine();
  CHECK_FALSE(machine.cpu.empty());
  CHECK(machine.n_processors >= machine.n_performance_cores);
  CHECK(machine.n_performance_cores >= 1);
  REQUIRE_FALSE(machine.isas.empty());
  CHECK(machine.isas.front() == mote::Isa::scalar);
  CHECK(bench::process_memory().peak > 100'000);
  for (const int n_threads : {1, 3}) {
    const auto bandwidth = bench::measure_read_bandwidth(n_threads);
    REQUIRE(bandwidth);
    CHECK(*bandwidth > 1e7);
    CHECK(*bandwidth < 1e13);
  }
}
