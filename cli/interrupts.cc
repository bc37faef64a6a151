#include "cli/interrupts.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "common/error.h"

namespace resmgr::cli {
namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

// All that the handler touches: lock-free, and never freed while handlers are installed.
std::atomic<int> g_interrupts{0};
std::atomic<int> g_wakeup{-1};
std::atomic<const std::string*> g_last_words{nullptr};
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<const std::string*>::is_always_lock_free);

extern "C" void on_signal(int) {
  const int saved = errno;
  if (g_interrupts.fetch_add(1) > 0) {
    if (const std::string* const words = g_last_words.load()) {
      // Nothing can be done about a failure here; the exit code says the rest.
      [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, words->data(), words->size());
    }
    _exit(kInterrupted);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(g_wakeup.load(), &one, sizeof one);
  errno = saved;
}

class SignalInterrupts final : public Interrupts {
 public:
  SignalInterrupts() : wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wakeup_ < 0) {
      throw Error(ErrorKind::internal,
                  "cannot wait for signals: " + std::generic_category().message(errno));
    }
    g_interrupts = 0;
    g_wakeup = wakeup_;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], nullptr, &previous_[i]);
      if (previous_[i].sa_handler == SIG_IGN) continue;
      struct sigaction action {};
      action.sa_handler = on_signal;
      action.sa_flags = SA_RESTART;
      sigaction(kSignals[i], &action, nullptr);
    }
  }

  ~SignalInterrupts() override {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &previous_[i], nullptr);
    }
    g_last_words = nullptr;
    g_wakeup = -1;
    close(wakeup_);
  }

  bool wait_for(Millis timeout) override {
    if (g_interrupts > 0) return true;
    pollfd waiting{wakeup_, POLLIN, 0};
    const auto limit = std::clamp<long long>(timeout.count(), 0, 60'000);
    poll(&waiting, 1, static_cast<int>(limit));
    return g_interrupts > 0;
  }

  void set_last_words(std::string text) override {
    // The earlier ones stay: the handler may be reading them.
    words_.push_back(std::make_unique<const std::string>(std::move(text)));
    g_last_words = words_.back().get();
  }

 private:
  int wakeup_;
  std::array<struct sigaction, kSignals.size()> previous_{};
  std::vector<std::unique_ptr<const std::string>> words_;
};

}  // namespace

std::unique_ptr<Interrupts> catch_signals() { return std::make_unique<SignalInterrupts>(); }

}  // namespace resmgr::cli
