#include "agent/identity/roca.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace resmgr::identity {
namespace {

constexpr std::uint32_t kGenerator = 65537;

constexpr std::array<std::uint32_t, 38> kPrimes = {
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

std::uint32_t remainder(std::string_view big_endian, std::uint32_t divisor) {
  std::uint32_t rest = 0;
  for (const char byte : big_endian)
    rest = (rest * 256 + static_cast<unsigned char>(byte)) % divisor;
  return rest;
}

bool is_power_of_generator(std::uint32_t value, std::uint32_t prime) {
  std::uint32_t power = 1;
  do {
    if (power == value) return true;
    power = power * (kGenerator % prime) % prime;
  } while (power != 1);
  return false;
}

}  // namespace

bool has_roca_fingerprint(std::string_view modulus) {
  return std::all_of(kPrimes.begin(), kPrimes.end(), [&](std::uint32_t prime) {
    return is_power_of_generator(remainder(modulus, prime), prime);
  });
}

}  // namespace resmgr::identity
