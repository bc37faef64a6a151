#include "tests/support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace resmgr::support {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

struct Closer {
  void operator()(FILE* file) const { (void)std::fclose(file); }
};
using File = std::unique_ptr<FILE, Closer>;

Key new_key() { return {EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &EVP_PKEY_free}; }

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), &X509_EXTENSION_free);
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    throw std::runtime_error("extension");
  }
}

// Not signed yet.
Certificate new_certificate(EVP_PKEY* key, const std::string& common_name,
                            std::chrono::seconds valid_for) {
  constexpr long kSinceSeconds = -3'600;
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), kSinceSeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_for.count());
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  return certificate;
}

void add_name(X509* certificate, const std::string& name) {
  const bool is_address = name.find_first_not_of("0123456789.") == std::string::npos;
  add_extension(certificate, NID_subject_alt_name, (is_address ? "IP:" : "DNS:") + name);
}

void write_certificate(X509* certificate, const std::string& file) {
  const File to(std::fopen(file.c_str(), "w"));
  if (!to || PEM_write_X509(to.get(), certificate) != 1) throw std::runtime_error("certificate");
}

void write_key(EVP_PKEY* key, const std::string& file) {
  const File to(std::fopen(file.c_str(), "w"));
  if (!to || PEM_write_PrivateKey(to.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    throw std::runtime_error("key");
  }
}

}  // namespace

void make_certificate(const CertificateOptions& options, const CertificateFiles& files) {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get(), "test", options.valid_for);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  add_name(certificate.get(), options.name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  write_certificate(certificate.get(), files.certificate);
  write_key(key.get(), files.key);
}

Authority::Authority(std::string file)
    : file_(std::move(file)),
      key_(new_key()),
      certificate_(new_certificate(key_.get(), "test authority", std::chrono::hours(1))) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  write_certificate(certificate_.get(), file_);
}

Authority::~Authority() = default;

void Authority::issue(const CertificateOptions& options, const CertificateFiles& files) const {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get(), options.name, options.valid_for);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  add_name(certificate.get(), options.name);
  X509_sign(certificate.get(), key_.get(), EVP_sha256());
  write_certificate(certificate.get(), files.certificate);
  write_key(key.get(), files.key);
}

}  // namespace resmgr::support
