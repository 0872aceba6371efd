#include "deploy/demo/driver/run.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"

namespace sessionmesh::driver {
namespace {

using Shoppers = std::vector<std::unique_ptr<Shopper>>;

template <typename Work>
std::vector<std::thread> StartEach(const Shoppers& shoppers, Work work) {
  std::vector<std::thread> threads;
  threads.reserve(shoppers.size());
  for (const auto& shopper : shoppers) {
    threads.emplace_back([work, one = shopper.get()] { work(*one); });
  }
  return threads;
}

void JoinAll(std::vector<std::thread>* threads) {
  for (std::thread& thread : *threads) thread.join();
}

}  // namespace

Report Run(const RunOptions& options,
           const std::function<void(absl::string_view)>& on_phase) {
  std::atomic<Moment> clock = 1;
  Shoppers shoppers;
  for (int i = 0; i < options.browsers; ++i) {
    ShopperOptions one = options.shopper;
    one.number = i;
    shoppers.push_back(std::make_unique<Shopper>(one, &clock));
  }

  on_phase("started");
  const absl::Time start = absl::Now();
  const absl::Time end = start + options.duration;
  auto threads =
      StartEach(shoppers, [end](Shopper& shopper) { shopper.Shop(end); });
  absl::SleepFor(options.duration / 2);
  on_phase("half");
  JoinAll(&threads);

  on_phase("last-look");
  threads = StartEach(shoppers, [](Shopper& shopper) { shopper.LastLook(); });
  JoinAll(&threads);
  on_phase("done");

  Report report;
  report.cookies_promise = Site(options.shopper.vocabulary).shop();
  report.browsers = static_cast<std::uint64_t>(options.browsers);
  report.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  for (const auto& shopper : shoppers) {
    const Traffic traffic = shopper->traffic();
    report.traffic += traffic;
    report.interrupted += traffic.unanswered > 0;
    report.cut_off += shopper->cut_off();
    for (const auto& history : shopper->histories()) {
      report.sessions += history->begun != kNever;
      report.findings += Check(*history);
    }
  }
  return report;
}

}  // namespace sessionmesh::driver
