#include "agent/catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "tests/support/temp_dir.h"
#include "tests/unit/catalog/reading.h"

namespace resmgr::catalog {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string definition(const std::string& name, const std::string& image = "img") {
  return "name = \"" + name + "\"\nimage = \"" + image + "\"\ncontainer_port = 1\n";
}

std::vector<std::string> names(const Catalog& catalog) {
  std::vector<std::string> all;
  for (const Service& service : catalog.services()) all.push_back(service.name);
  return all;
}

TEST(Catalog, GoodFilesServeBesideWrongOnes) {
  const support::TempDir folder;
  folder.write("b.toml", definition("beta"));
  folder.write("a.toml", definition("zeta"));
  folder.write("c.toml", definition("UPPER"));
  folder.write("d.toml", "name = ");
  folder.write("readme.txt", "not a service");
  folder.write(".a.toml.swp", "an editor's");
  folder.write(".hidden.toml", definition("hidden"));
  std::filesystem::create_directory(folder.path() / "folder.toml");
  const auto catalog = Catalog::load({folder.path().string()});
  EXPECT_THAT(names(*catalog), testing::ElementsAre("beta", "zeta"));
  ASSERT_EQ(catalog->faults().size(), 2U);
  EXPECT_EQ(catalog->faults()[0].where, (folder.path() / "c.toml").string() + ":1:8");
  EXPECT_THAT(catalog->faults()[1].where, StartsWith((folder.path() / "d.toml").string() + ":1:"));
  ASSERT_NE(catalog->find("beta"), nullptr);
  EXPECT_EQ(catalog->find("beta")->file, (folder.path() / "b.toml").string());
  EXPECT_EQ(catalog->find("gamma"), nullptr);
  EXPECT_EQ(catalog->find(""), nullptr);
}

TEST(Catalog, AFileThatWentWrongLeavesItsServiceAsItWas) {
  const support::TempDir folder;
  folder.write("a.toml", definition("alpha", "old"));
  folder.write("b.toml", definition("beta", "old"));
  folder.write("c.toml", definition("gamma", "old"));
  const std::vector<std::string> folders = {folder.path().string()};
  const auto before = Catalog::load(folders);
  const std::string wrong = folder.write("a.toml", "name = ");
  folder.write("b.toml", definition("beta", "new"));
  std::filesystem::remove(folder.path() / "c.toml");
  folder.write("d.toml", "name = ");  // was never right
  const auto after = Catalog::load(folders, before.get());
  EXPECT_THAT(names(*after), testing::ElementsAre("alpha", "beta"));
  EXPECT_EQ(after->find("alpha")->image, "old");
  EXPECT_EQ(after->find("beta")->image, "new");
  EXPECT_THAT(after->faults(),
              testing::Contains(AllOf(testing::Field(&Fault::where, wrong),
                                      testing::Field(&Fault::what, HasSubstr("'alpha' stays")))));

  // Its name has moved to another file.
  folder.write("d.toml", definition("alpha", "moved"));
  const auto moved = Catalog::load(folders, after.get());
  EXPECT_THAT(names(*moved), testing::ElementsAre("alpha", "beta"));
  EXPECT_EQ(moved->find("alpha")->image, "moved");
}

TEST(Catalog, TheFirstOfANameStays) {
  const support::TempDir one;
  const support::TempDir two;
  one.write("2.toml", definition("svc", "second"));
  one.write("1.toml", definition("svc", "first"));
  two.write("0.toml", definition("svc", "third"));
  const auto catalog = Catalog::load({one.path().string(), two.path().string()});
  ASSERT_EQ(catalog->services().size(), 1U);
  EXPECT_EQ(catalog->services()[0].image, "first");
  ASSERT_EQ(catalog->faults().size(), 2U);
  for (const Fault& fault : catalog->faults()) {
    EXPECT_THAT(fault.what, AllOf(HasSubstr("'svc' is there already"), HasSubstr("1.toml")));
  }
}

TEST(Catalog, AMissingFolderIsNoFault) {
  const auto catalog = Catalog::load({"/nonexistent/services.d"});
  EXPECT_THAT(catalog->services(), IsEmpty());
  EXPECT_THAT(catalog->faults(), IsEmpty());
}

TEST(Catalog, WhatCantBeReadIsAFault) {
  const support::TempDir folder;
  folder.write("big.toml", "#" + std::string(2 << 20, 'x'));
  std::filesystem::create_symlink("/nonexistent/x", folder.path() / "dangling.toml");
  const auto catalog =
      Catalog::load({folder.path().string(), (folder.path() / "big.toml").string()});
  ASSERT_EQ(catalog->faults().size(), 3U);
  EXPECT_THAT(catalog->faults()[0].what, HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(catalog->faults()[1].what, HasSubstr("No such file"));
  EXPECT_THAT(catalog->faults()[2].what, HasSubstr("Not a directory"));
}

TEST(Catalog, TheShippedServicesAreGood) {
  const auto catalog = Catalog::load({RESMGR_SHIPPED_SERVICES});
  for (const Fault& fault : catalog->faults()) ADD_FAILURE() << fault.where << ": " << fault.what;
  EXPECT_THAT(names(*catalog), testing::ElementsAre("hello", "jupyter", "terminal"));
  const Service& hello = *catalog->find("hello");
  EXPECT_EQ(hello.image, "resmgr/hello:latest");
  EXPECT_EQ(hello.container_port, 8080);
  EXPECT_EQ(hello.probe.kind, ProbeKind::http);
  EXPECT_TRUE(hello.read_only);
  const Service& jupyter = *catalog->find("jupyter");
  EXPECT_EQ(jupyter.url_path, "/lab?token={token}");
  EXPECT_EQ(jupyter.idle.probe, IdleProbe::jupyter);
  EXPECT_EQ(jupyter.gateway.authorization, "token {token}");
  EXPECT_TRUE(jupyter.knows_base_path());
  EXPECT_EQ(jupyter.volumes.at(0).name, "jupyter-{userId}");
}

TEST(SpecHash, IsTheSameForTheSameContainer) {
  const std::string hash = taken().spec_hash;
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(taken("title = \"Other\"\ndescription = \"x\"\nicon = \"/i\"\nurl_path = \"/x\"\n"
                  "probe = { http = \"/\" }\nstart_timeout = \"1s\"\npull = \"never\"\n"
                  "[idle]\ntimeout = \"1h\"\n[lifetime]\nmax = \"1h\"")
                .spec_hash,
            hash);
  EXPECT_EQ(taken("stop_timeout = \"10s\"\n[resources]\ncpus = 1\nmemory = \"1024MiB\"").spec_hash,
            hash);
  EXPECT_EQ(taken("env = { A = \"1\", B = \"2\" }").spec_hash,
            taken("[env]\nB = \"2\"\nA = \"1\"").spec_hash);
  EXPECT_EQ(taken("security = { capabilities = [\"CHOWN\", \"KILL\"] }").spec_hash,
            taken("security = { capabilities = [\"cap_kill\", \"CAP_CHOWN\"] }").spec_hash);
}

TEST(SpecHash, EachThingThatMakesTheContainerCounts) {
  std::set<std::string> hashes = {taken().spec_hash};
  for (const std::string more :
       {"command = [\"a\"]", "command = [\"a\", \"b\"]", "command = [\"a b\"]",
        "env = { A = \"1\" }", "env = { A = \"2\" }", "stop_timeout = \"3s\"",
        "resources = { cpus = 0.5 }", "resources = { memory = \"1GB\" }",
        "resources = { pids = 7 }", "resources = { shm = \"1MiB\" }",
        "security = { read_only = true }", "security = { capabilities = [\"CHOWN\"] }",
        "security = { user = \"1000\" }", "security = { network = \"none\" }",
        "volumes = [{ name = \"v-{userId}\", path = \"/v\" }]",
        "volumes = [{ name = \"v-{userId}\", path = \"/w\" }]"}) {
    EXPECT_TRUE(hashes.insert(taken(more).spec_hash).second) << more;
  }
  for (const auto& toml :
       {definition("other", "img:1"), definition("svc", "img:2"), definition("svc", "img:1")}) {
    const auto catalog = Catalog::from_text(toml, "x.toml");
    EXPECT_TRUE(hashes.insert(catalog->services().at(0).spec_hash).second) << toml;
  }
}

TEST(Expand, PutsValuesInOnce) {
  const std::map<std::string, std::string> values = {
      {"token", "{userId}"}, {"userId", "u"}, {"empty", ""}};
  EXPECT_EQ(expand("/lab?token={token}&u={userId}", values), "/lab?token={userId}&u=u");
  EXPECT_EQ(expand("{userId}{userId}", values), "uu");
  EXPECT_EQ(expand("{empty}", values), "");
  EXPECT_EQ(expand("", values), "");
}

TEST(Expand, OtherBracesStay) {
  const std::map<std::string, std::string> values = {{"a", "1"}};
  EXPECT_EQ(expand("{b} {} {", values), "{b} {} {");
  EXPECT_EQ(expand("{{a}}", values), "{1}");
  EXPECT_EQ(expand("{b{a}", values), "{b1");
  EXPECT_EQ(expand("}{a", values), "}{a");
  EXPECT_EQ(expand(R"({"a": {a}})", values), R"({"a": 1})");
}

}  // namespace
}  // namespace resmgr::catalog
