#include "deploy/demo/driver/shopper.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace sessionmesh::driver {
namespace {

constexpr std::size_t kCartMax =
    40;  // then things go out again, so that sessions stay of a usual size
constexpr int kServersToReach = 3;

bool Done(const Answer& answer) {
  return Site::Acknowledges(answer.status) && !answer.session_is_gone;
}

}  // namespace

Shopper::Shopper(ShopperOptions options, std::atomic<Moment>* clock)
    : options_(std::move(options)),
      site_(options_.vocabulary),
      browser_(options_.browser, clock),
      random_(options_.seed * 1000003 +
              static_cast<std::uint64_t>(options_.number)) {}

void Shopper::Shop(absl::Time end) {
  Think();  // so that not all come at once
  while (absl::Now() < end) {
    if (session_ == nullptr) {
      Arrive();
    } else {
      Act();
    }
    Think();
  }
}

void Shopper::Think() {
  const double factor = 0.2 + 1.6 * static_cast<double>(Choose(1000)) / 1000.0;
  absl::SleepFor(options_.think_mean * factor);
}

void Shopper::Act() {
  if (site_.shop() && cart_.size() >= kCartMax) return RemoveOne();
  const int choice = Choose(100);
  if (choice < 42) return Look(/*last=*/false);
  if (choice < 52) return LoadTwoPages();
  if (choice >= 96) return LogOut();
  if (choice < 70) {
    AddOne();
  } else if (choice < 88) {
    AddTwoAtOnce();
  } else {
    RemoveOne();
  }
  FollowRedirect();
}

void Shopper::Arrive() {
  histories_.push_back(
      std::make_unique<SessionHistory>(options_.browser.id_cookie));
  session_ = histories_.back().get();
  cart_.clear();
  const bool cart_first = site_.shop() && Choose(2) == 0;
  if (cart_first) {
    AddOne();
    // No cart, so nothing to keep at the log in.
    if (session_->changes.back().answered == kNever) return Abandon();
    session_->begun = session_->changes.back().answered;
    Think();
  }
  LogIn(cart_first);
}

void Shopper::LogIn(bool had_session) {
  const Answer answer = browser_.Fetch(
      site_.LogIn(absl::StrCat("user-", options_.number)), 0, session_);
  // A try in vain, or this one, may have given the session a new id that this
  // browser was never told. Then the old one is not found, and the log in
  // begins another session; otherwise it is still the same.
  const bool moved = answer.tried_in_vain && answer.new_session;
  if (had_session && (moved || !Done(answer))) {
    session_->cut_off = answer.first_sent;
    ++cut_off_;
    return Abandon();
  }
  if (!Done(answer)) return Abandon();
  if (had_session) {
    NoticeLostSession(answer);
  } else {
    session_->begun = answer.answered;
  }
  FollowRedirect();
}

void Shopper::NoticeLostSession(const Answer& answer) {
  const bool lost = answer.new_session || answer.session_is_gone;
  if (!lost || session_->begun == kNever) return;
  Read none;
  none.sent = answer.sent;
  none.answered = answer.answered;
  none.found = false;
  session_->reads.push_back(std::move(none));
  session_->cut_off = answer.answered + 1;
  Abandon();
}

void Shopper::Abandon() {
  browser_.ForgetCookies();
  session_ = nullptr;
}

std::string Shopper::NewItem() {
  static constexpr const char* kGoods[] = {"tea",  "bread", "lamp",  "book",
                                           "rope", "soap",  "apple", "kite"};
  ++items_named_;
  return absl::StrCat(kGoods[Choose(8)], "-", options_.number, "-",
                      items_named_);
}

ChangeId Shopper::NewChange(bool added, std::string item) {
  Change change;
  change.item = std::move(item);
  change.added = added;
  change.sent = kNever;
  session_->changes.push_back(std::move(change));
  return static_cast<ChangeId>(session_->changes.size()) - 1;
}

// The histories' `changes` are not resized while two of these run.
Answer Shopper::Write(const Request& request, int connection, ChangeId id) {
  Answer answer = browser_.Fetch(request, connection, session_, id);
  Change& change = session_->changes[static_cast<std::size_t>(id)];
  change.sent = answer.first_sent;
  change.tried_in_vain = answer.tried_in_vain;
  change.degraded = answer.degraded;
  if (Done(answer)) change.answered = answer.answered;
  return answer;
}

void Shopper::AddOne() {
  const std::string item = NewItem();
  const ChangeId id = NewChange(/*added=*/true, item);
  const Answer answer = Write(site_.Add(item), 0, id);
  if (Done(answer)) cart_.push_back(item);
  NoticeLostSession(answer);
}

void Shopper::AddTwoAtOnce() {
  const std::string items[] = {NewItem(), NewItem()};
  const ChangeId ids[] = {NewChange(true, items[0]), NewChange(true, items[1])};
  Answer answers[2];
  std::thread other(
      [&] { answers[1] = Write(site_.Add(items[1]), 1, ids[1]); });
  answers[0] = Write(site_.Add(items[0]), 0, ids[0]);
  other.join();
  for (int i : {0, 1}) {
    if (Done(answers[i])) cart_.push_back(items[i]);
  }
  const bool both = Done(answers[0]) && Done(answers[1]);
  const bool together = answers[0].sent < answers[1].answered &&
                        answers[1].sent < answers[0].answered;
  if (both && together) session_->pairs.emplace_back(ids[0], ids[1]);
  for (const Answer& answer : answers) {
    if (session_ != nullptr) NoticeLostSession(answer);
  }
}

void Shopper::RemoveOne() {
  if (!site_.shop() || cart_.empty()) return Look(/*last=*/false);
  const auto at = cart_.begin() + Choose(static_cast<int>(cart_.size()));
  const std::string item = *at;
  cart_.erase(at);
  NoticeLostSession(
      Write(site_.Remove(item), 0, NewChange(/*added=*/false, item)));
}

void Shopper::FollowRedirect() {
  if (session_ == nullptr || !site_.shop()) return;
  if (Choose(3) == 0) {
    browser_.Fetch(site_.Page(), 0, session_);
  } else {
    Look(/*last=*/false);
  }
}

void Shopper::LoadTwoPages() {
  if (!site_.shop()) return Look(/*last=*/false);
  std::thread other([this] { browser_.Fetch(site_.Page(), 1, session_); });
  browser_.Fetch(site_.Page(), 0, session_);
  other.join();
}

void Shopper::LookFor(const std::string& item, bool last) {
  const Answer answer = browser_.Fetch(site_.ReadCart(item), 0, session_);
  const std::optional<CartSeen> seen =
      site_.ParseCart(answer.status, answer.body, item);
  if (!seen) return;  // counted by the browser as failed
  Read read;
  read.sent = answer.sent;
  read.answered = answer.answered;
  read.found = seen->found;
  read.items = seen->items;
  if (!site_.shop()) read.only = item;
  read.presented = answer.presented;
  read.last = last;
  session_->reads.push_back(std::move(read));
}

void Shopper::Look(bool last) {
  if (site_.shop()) return LookFor("", last);
  if (cart_.empty()) return LookFor("nothing", last);
  if (!last) {
    return LookFor(
        cart_[static_cast<std::size_t>(Choose(static_cast<int>(cart_.size())))],
        last);
  }
  for (const std::string& item : cart_) LookFor(item, last);
}

void Shopper::LogOut() {
  // Nothing is in flight, and afterwards there is nothing to look at: what was
  // lost must show now.
  Look(/*last=*/true);
  Ended ended{session_, browser_.Cookies(site_.ReadCart(""))};
  const Answer answer = browser_.Fetch(site_.LogOut(), 0, session_);
  session_->logout_sent = answer.first_sent;
  if (Site::Acknowledges(answer.status)) {
    session_->logout_answered = answer.answered;
  }
  session_ = nullptr;
  if (!Site::Acknowledges(answer.status)) return;
  for (int i = 0; i < kServersToReach; ++i) TryOldCookies(ended);
  ended_.push_back(std::move(ended));
}

void Shopper::TryOldCookies(const Ended& ended) {
  const std::string item = ended.history->changes.empty()
                               ? "nothing"
                               : ended.history->changes[0].item;
  const Answer answer =
      browser_.FetchWithCookies(site_.ReadCart(item), ended.cookies);
  const std::optional<CartSeen> seen =
      site_.ParseCart(answer.status, answer.body, item);
  if (seen) ended.history->old_reads.push_back({answer.sent, seen->found});
}

void Shopper::LastLook() {
  for (const Ended& ended : ended_) TryOldCookies(ended);
  if (session_ == nullptr) return;
  for (int i = 1; i <= kServersToReach; ++i) {
    Look(/*last=*/i == kServersToReach);
  }
}

}  // namespace sessionmesh::driver
