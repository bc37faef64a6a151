// Reads one definition and shows what came of it.
#ifndef RESMGR_TESTS_UNIT_CATALOG_READING_H_
#define RESMGR_TESTS_UNIT_CATALOG_READING_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/catalog/catalog.h"

namespace resmgr::catalog {

// A definition with all that is required and no more; three lines.
inline const std::string kLeast =
    "name = \"svc\"\n"
    "image = \"img:1\"\n"
    "container_port = 80\n";

// The service of kLeast and `more`; fails the test if there is none.
inline Service taken(const std::string& more = "") {
  const auto catalog = Catalog::from_text(kLeast + more, "svc.toml");
  const Service* service = catalog->find("svc");
  EXPECT_NE(service, nullptr) << (catalog->faults().empty() ? more : catalog->faults()[0].what);
  return service != nullptr ? *service : Service{};
}

// The faults of a definition that must be left out: "file:line:column: what".
inline std::vector<std::string> faults_of(const std::string& toml) {
  const auto catalog = Catalog::from_text(toml, "svc.toml");
  EXPECT_TRUE(catalog->services().empty()) << toml;
  std::vector<std::string> all;
  for (const Fault& fault : catalog->faults()) all.push_back(fault.where + ": " + fault.what);
  return all;
}

// The one fault of kLeast and `more`.
inline std::string fault_of(const std::string& more) {
  const std::vector<std::string> all = faults_of(kLeast + more);
  EXPECT_EQ(all.size(), 1U) << more;
  return all.empty() ? "no fault" : all.front();
}

}  // namespace resmgr::catalog

#endif  // RESMGR_TESTS_UNIT_CATALOG_READING_H_
