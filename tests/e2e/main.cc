// All that is tried end to end is one program: it is built and linked once, not thirty times.
// Called by the name of a subject (`e2e_ports`, a link to it), it runs the cases of that subject's
// files alone, ports_test.cc and ports_*_test.cc; a --gtest_filter says which of them not
// (`-Suite.Case`), or which of all instead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>

namespace {

constexpr char kProgram[] = "e2e";

bool belongs_to(const std::string& subject, const char* file) {
  return std::filesystem::path(file).filename().string().starts_with(subject + "_");
}

// As --gtest_filter takes it; empty: there is no such subject.
std::string cases_of(const std::string& subject) {
  std::string filter;
  const auto& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const auto& test = *suite.GetTestInfo(j);
      if (!belongs_to(subject, test.file())) continue;
      filter += (filter.empty() ? "" : ":") + std::string(suite.name()) + '.' + test.name();
    }
  }
  return filter;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const std::string name = std::filesystem::path(argv[0]).filename();
  std::string told = GTEST_FLAG_GET(filter);
  if (told == "*") told.clear();
  if (name != kProgram && (told.empty() || told.starts_with('-'))) {
    const std::string cases = cases_of(name.substr(name.find('_') + 1));
    if (cases.empty()) {
      std::cerr << name << ": there is no case of that name\n";
      return 2;
    }
    GTEST_FLAG_SET(filter, cases + told);
  }
  return RUN_ALL_TESTS();
}
