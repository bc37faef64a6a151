#include "agent/engine/cgroup_stats.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/temp_dir.h"

namespace resmgr::engine {
namespace {

const std::string kId(64, 'a');
constexpr char kNetDev[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
    "    lo:     7       1    0    0    0     0          0         0        7       1    0\n"
    "  eth0:   925      11    0    0    0     0          0         0     1972       7    0\n"
    "  eth1:75      11    0    0    0     0          0         0     28       7    0\n";

class CgroupStats : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { root_.write(path, text); }

  void make_v1(const std::string& cpu, const std::string& memory) {
    write("sys/fs/cgroup/cpuacct/" + cpu + "/cpuacct.usage", "29092655\n");
    const std::string folder = "sys/fs/cgroup/memory/" + memory;
    write(folder + "/memory.usage_in_bytes", "815104\n");
    write(folder + "/memory.max_usage_in_bytes", "3813376\n");
    write(folder + "/cgroup.procs", "42\n57\n");
    write("proc/42/net/dev", kNetDev);
  }
  void make_v2(const std::string& group) {
    write("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
    const std::string folder = "sys/fs/cgroup/" + group;
    write(folder + "/cpu.stat", "usage_usec 123999\nuser_usec 1\n");
    write(folder + "/memory.current", "4096\n");
    write(folder + "/cgroup.procs", "42\n");
    write("proc/42/net/dev", kNetDev);
  }
  CgroupReader reader() { return CgroupReader(root_.path()); }

  support::TempDir root_;
};

TEST_F(CgroupStats, ReadsVersionOneWhereCgroupfsPutsIt) {
  make_v1("docker/" + kId, "docker/" + kId);
  const auto stats = reader().read(kId);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->cpu_time, Millis{29});
  EXPECT_EQ(stats->memory_bytes, 815'104);
  EXPECT_EQ(stats->peak_memory_bytes, 3'813'376);
  EXPECT_EQ(stats->network_rx_bytes, 1'000);
  EXPECT_EQ(stats->network_tx_bytes, 2'000);
}

TEST_F(CgroupStats, ReadsVersionTwoWhereSystemdPutsIt) {
  const std::string group = "system.slice/docker-" + kId + ".scope";
  make_v2(group);
  const auto stats = reader().read(kId);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->cpu_time, Millis{123});
  EXPECT_EQ(stats->memory_bytes, 4'096);
  EXPECT_EQ(stats->peak_memory_bytes, 4'096);

  write("sys/fs/cgroup/" + group + "/memory.peak", "8192\n");
  EXPECT_EQ(reader().read(kId)->peak_memory_bytes, 8'192);
}

TEST_F(CgroupStats, FindsTheGroupThroughTheProcess) {
  make_v1("odd/" + kId, "other/docker-" + kId);
  EXPECT_FALSE(reader().read(kId));
  write("proc/42/cgroup", "8:pids:/elsewhere\n4:memory:/other/docker-" + kId +
                              "\n2:cpu,cpuacct:/odd/" + kId + "\n0::/\n");
  ASSERT_TRUE(reader().read(kId, 42));
  EXPECT_EQ(reader().read(kId, 42)->memory_bytes, 815'104);
}

TEST_F(CgroupStats, ProcessOfAnotherContainerIsNotMeasured) {
  make_v2("docker/" + kId);
  write("proc/42/cgroup", "0::/docker/" + std::string(64, 'b') + "\n");
  EXPECT_FALSE(reader().read(kId, 42));
  // A view that begins below the container's group.
  write("proc/42/cgroup", "0::/../" + kId + "\n");
  EXPECT_FALSE(reader().read(kId, 42));
  EXPECT_FALSE(reader().read(kId, 43));
  EXPECT_FALSE(reader().read(kId, 0));
  EXPECT_FALSE(reader().read(kId, -1));
}

TEST_F(CgroupStats, OnlyWholeIdsAreLookedFor) {
  make_v2("docker/" + kId);
  ASSERT_TRUE(reader().read(kId));
  for (const std::string& id : {std::string(), kId.substr(1), std::string("../") + kId.substr(3),
                                std::string(64, 'A'), std::string("name")}) {
    EXPECT_FALSE(reader().read(id)) << id;
  }
}

TEST_F(CgroupStats, GroupWithoutAProcessIsNoRunningContainer) {
  make_v1("docker/" + kId, "docker/" + kId);
  for (const char* processes : {"", "0\n", "garbage\n"}) {
    write("sys/fs/cgroup/memory/docker/" + kId + "/cgroup.procs", processes);
    EXPECT_FALSE(reader().read(kId)) << processes;
  }
}

TEST_F(CgroupStats, WhatIsNotWholeIsNotGuessed) {
  make_v1("docker/" + kId, "docker/" + kId);
  write("sys/fs/cgroup/cpuacct/docker/" + kId + "/cpuacct.usage", "12x\n");
  EXPECT_FALSE(reader().read(kId));
  write("sys/fs/cgroup/cpuacct/docker/" + kId + "/cpuacct.usage", "-12\n");
  EXPECT_FALSE(reader().read(kId));
  write("sys/fs/cgroup/cpuacct/docker/" + kId + "/cpuacct.usage", "99999999999999999999\n");
  EXPECT_FALSE(reader().read(kId));
  write("sys/fs/cgroup/cpuacct/docker/" + kId + "/cpuacct.usage", "12\n");
  EXPECT_TRUE(reader().read(kId));
  write("proc/42/net/dev", "nothing of the kind");
  EXPECT_FALSE(reader().read(kId));
}

TEST(NetDev, DevicesAreAddedUp) {
  Stats stats;
  EXPECT_TRUE(parse_net_dev(kNetDev, stats));
  EXPECT_EQ(stats.network_rx_bytes, 1'000);
  EXPECT_EQ(stats.network_tx_bytes, 2'000);
}

TEST(NetDev, HostileTextIsRefused) {
  const std::string head = "Inter-|x\n face |x\n";
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("a\nb\n"), head + "eth0: 1 2 3\n",
        head + "eth0: a 2 3 4 5 6 7 8 9\n", head + "eth0\n", head + "\n",
        head + "eth0: 1 2 3 4 5 6 7 8 -9\n"}) {
    Stats stats;
    EXPECT_FALSE(parse_net_dev(text, stats)) << text;
  }
}

TEST(CgroupPath, IsFoundByController) {
  const char* const text = "9:name=systemd:/s\n2:cpu,cpuacct:/c:with:colons\n0::/u\n";
  EXPECT_EQ(parse_cgroup_path(text, "cpuacct"), "/c:with:colons");
  EXPECT_EQ(parse_cgroup_path(text, "cpu"), "/c:with:colons");
  EXPECT_EQ(parse_cgroup_path(text, ""), "/u");
  EXPECT_EQ(parse_cgroup_path(text, "memory"), "");
  EXPECT_EQ(parse_cgroup_path(text, "acct"), "");
  EXPECT_EQ(parse_cgroup_path("", "memory"), "");
  EXPECT_EQ(parse_cgroup_path(":::\n::\n:\n\n", "memory"), "");
}

}  // namespace
}  // namespace resmgr::engine
