// RSA moduli that can be factored although they are long enough: CVE-2017-15361 (ROCA).
#ifndef RESMGR_AGENT_IDENTITY_ROCA_H_
#define RESMGR_AGENT_IDENTITY_ROCA_H_

#include <string_view>

namespace resmgr::identity {

// Whether a modulus (big-endian) looks made by the faulty generator. Its primes are
// k·M + (65537^a mod M), with M the product of the primes up to 167 at least, so the modulus is a
// power of 65537 modulo each of those; a sound modulus looks like that once in 2^27.
bool has_roca_fingerprint(std::string_view modulus);

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_ROCA_H_
