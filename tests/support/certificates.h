// Certificates that are made on the spot, for servers of a test.
#ifndef RESMGR_TESTS_SUPPORT_CERTIFICATES_H_
#define RESMGR_TESTS_SUPPORT_CERTIFICATES_H_

#include <chrono>
#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;

namespace resmgr::support {

struct CertificateFiles {
  std::string certificate;  // PEM, as the key
  std::string key;
};

// From an hour ago on; `valid_for` from now, which may be negative.
struct CertificateOptions {
  std::string name;  // a DNS name or an IPv4 address
  std::chrono::seconds valid_for = std::chrono::hours(1);
};

// Writes a self-signed certificate and its key.
void make_certificate(const CertificateOptions& options, const CertificateFiles& files);

// Signs certificates for servers.
class Authority {
 public:
  // Its own certificate is written to `file`.
  explicit Authority(std::string file);
  ~Authority();

  const std::string& file() const { return file_; }
  void issue(const CertificateOptions& options, const CertificateFiles& files) const;

 private:
  std::string file_;
  std::unique_ptr<evp_pkey_st, void (*)(evp_pkey_st*)> key_;
  std::unique_ptr<x509_st, void (*)(x509_st*)> certificate_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_CERTIFICATES_H_
