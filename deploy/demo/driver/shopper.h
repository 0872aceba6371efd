#ifndef DEPLOY_DEMO_DRIVER_SHOPPER_H_
#define DEPLOY_DEMO_DRIVER_SHOPPER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "deploy/demo/driver/browser.h"
#include "deploy/demo/driver/history.h"
#include "deploy/demo/driver/site.h"

namespace sessionmesh::driver {

struct ShopperOptions {
  BrowserOptions browser;
  Site::Vocabulary vocabulary = Site::Vocabulary::kShop;
  absl::Duration think_mean = absl::Milliseconds(250);
  std::uint64_t seed = 1;
  int number = 0;  // tells the items of one shopper from those of another
};

// One visitor: comes (sometimes with a cart before the log in, which then gives
// the session a new id), puts things in and out, alone and two at once, looks
// at the cart and at pages, leaves or stays. Keeps a history of each of its
// sessions, one after another.
//
// What it does next depends on its seed and on what it has done, not on time;
// how far it gets depends on time. Blocking; used by one thread.
class Shopper {
 public:
  Shopper(ShopperOptions options, std::atomic<Moment>* clock);

  // Shops until `end`.
  void Shop(absl::Time end);

  // To be called when all shoppers have stopped: looks at the living session
  // three times, so that probably more than one server shows it (all browsers
  // share one round robin, so which ones is a matter of chance), the third time
  // for good, and tries the cookies of each ended one again.
  void LastLook();

  const std::vector<std::unique_ptr<SessionHistory>>& histories() const {
    return histories_;
  }
  // Log ins without an answer that cost the browser its session: the site did
  // not know the old id any more, and the new one never arrived.
  std::uint64_t cut_off() const { return cut_off_; }
  Traffic traffic() const { return browser_.traffic(); }

 private:
  struct Ended {
    SessionHistory* history;
    std::string cookies;
  };

  void Arrive();
  void LogIn(bool had_session);
  void AddOne();
  void AddTwoAtOnce();
  void RemoveOne();
  void LoadTwoPages();
  void Look(bool last);
  // What browsers do after a form: the answer sends them to the next page, at
  // once.
  void FollowRedirect();
  void LogOut();
  void TryOldCookies(const Ended& ended);
  void Act();
  void Think();

  // Ends the history when the site did not find the present session, or began
  // another one instead.
  void NoticeLostSession(const Answer& answer);
  // Goes on as another visitor: what the browser still has belongs to no
  // history.
  void Abandon();
  ChangeId NewChange(bool added, std::string item);
  std::string NewItem();
  Answer Write(const Request& request, int connection, ChangeId change);
  void LookFor(const std::string& item, bool last);
  int Choose(int below) {
    return static_cast<int>(random_() % static_cast<std::uint64_t>(below));
  }

  const ShopperOptions options_;
  const Site site_;
  Browser browser_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<SessionHistory>> histories_;
  std::vector<Ended> ended_;
  SessionHistory* session_ = nullptr;  // the living one, in histories_
  std::vector<std::string> cart_;  // acknowledged items of the living session
  int items_named_ = 0;
  std::uint64_t cut_off_ = 0;
};

}  // namespace sessionmesh::driver

#endif  // DEPLOY_DEMO_DRIVER_SHOPPER_H_
