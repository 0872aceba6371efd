#include "node/session_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/keys.h"
#include "node/proto_time.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::node {
namespace {

using replication::Consistency;
using replication::Durability;
using replication::Reason;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::IsOkAndHolds;
using ::sessionmesh::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class SessionCodecTest : public ::testing::Test {
 protected:
  std::string NativeId(replication::SlotId slot = 5) {
    return ids_.MakeNative(slot, {1, 2, 3});
  }

  const HmacKeyedHash key_{"a key for tests"};
  const replication::SessionIds ids_{64, &key_};
  const SessionCodec codec_{
      {Consistency::kSession, Durability::kOne},
      &ids_,
      &key_,
      "a",
      [](uint64_t number) {
        return static_cast<replication::SlotId>(number % 64);
      }};
};

TEST_F(SessionCodecTest, ChoosesAnotherIdForEveryCreate) {
  const DecodedCommand one = codec_.Decode(v1::CreateRequest());
  const DecodedCommand two = codec_.Decode(v1::CreateRequest());

  EXPECT_THAT(one.status, IsOk());
  EXPECT_THAT(one.command.session_id, SizeIs(30));
  EXPECT_NE(one.command.session_id, two.command.session_id);
  EXPECT_THAT(ids_.SlotOf(one.command.session_id),
              IsOkAndHolds(*one.command.slot));
}

TEST_F(SessionCodecTest, ARetriedCreateMeansTheSameSession) {
  v1::CreateRequest request;
  request.set_request_id(std::string(16, 'r'));

  const DecodedCommand one = codec_.Decode(request);
  const DecodedCommand two = codec_.Decode(request);

  EXPECT_EQ(one.command.slot, two.command.slot);
  EXPECT_EQ(one.command.session_id, two.command.session_id);
}

TEST_F(SessionCodecTest, ARetriedRotateAsksForTheSameNewId) {
  v1::RotateRequest request;
  request.set_id(NativeId());
  request.set_request_id(std::string(16, 'r'));

  EXPECT_EQ(codec_.Decode(request).command.new_session_id,
            codec_.Decode(request).command.new_session_id);
}

TEST_F(SessionCodecTest, DeleteTakesAQuorumUnlessSaidOtherwise) {
  v1::DeleteRequest request;
  request.set_id(NativeId());
  EXPECT_EQ(codec_.Decode(request).command.durability, Durability::kQuorum);

  request.set_durability(v1::DURABILITY_LOCAL);
  EXPECT_EQ(codec_.Decode(request).command.durability, Durability::kLocal);
}

TEST_F(SessionCodecTest, LevelsThatAreNotSaidAreTheServers) {
  v1::GetRequest get;
  get.set_id(NativeId());
  v1::UpdateRequest update;
  update.set_id(NativeId());

  EXPECT_EQ(codec_.Decode(get).command.consistency, Consistency::kSession);
  EXPECT_EQ(codec_.Decode(update).command.durability, Durability::kOne);
}

TEST_F(SessionCodecTest, UnknownLevelsAreRefused) {
  v1::GetRequest get;
  get.set_id(NativeId());
  get.set_consistency(static_cast<v1::Consistency>(9));

  const DecodedCommand decoded = codec_.Decode(get);

  EXPECT_THAT(decoded.status, StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("consistency 9 is unknown")));
  EXPECT_EQ(decoded.failure.reason, Reason::kInvalidField);
}

TEST_F(SessionCodecTest, IdsAreCheckedBeforeAnythingIsLookedUp) {
  v1::GetRequest get;
  EXPECT_EQ(codec_.Decode(get).failure.reason, Reason::kInvalidId);

  get.set_id(std::string(300, 'x'));
  const replication::Failure failure = codec_.Decode(get).failure;
  EXPECT_EQ(failure.reason, Reason::kInvalidId);
  EXPECT_EQ(failure.limit_name, "session id bytes");
  EXPECT_EQ(failure.limit, replication::SessionIds::kForeignBytesMax);
  EXPECT_EQ(failure.value, 300u);

  get.set_id(NativeId());
  char& forged = (*get.mutable_id())[20];
  forged = forged == 'A' ? 'B' : 'A';
  EXPECT_EQ(codec_.Decode(get).failure.reason, Reason::kSessionNotFound);
}

TEST_F(SessionCodecTest, ACallerCannotCreateAnIdThatLooksNative) {
  v1::CreateRequest request;
  request.set_id(NativeId());

  EXPECT_EQ(codec_.Decode(request).failure.reason, Reason::kInvalidId);
}

TEST_F(SessionCodecTest, LifetimesMustBePositive) {
  v1::CreateRequest request;
  request.mutable_idle_timeout()->set_seconds(0);
  EXPECT_THAT(codec_.Decode(request).status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("idle_timeout is 0; it must be positive")));

  request.mutable_idle_timeout()->set_seconds(5);
  request.mutable_idle_timeout()->set_nanos(-1);
  EXPECT_THAT(codec_.Decode(request).status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("both parts of one sign")));
}

TEST_F(SessionCodecTest, AReplyCarriesSessionTokenAndNode) {
  replication::Reply reply;
  reply.token = "token";
  reply.replicas = 2;
  reply.session.emplace();
  reply.session->id = "id";
  reply.session->attributes = {{"a", std::string("\0\xff", 2)}};
  v1::GetResponse response;

  codec_.Encode(reply, &response);

  EXPECT_EQ(response.session().attributes().at("a"), std::string("\0\xff", 2));
  EXPECT_EQ(response.info().token(), "token");
  EXPECT_EQ(response.info().node(), "a");
  EXPECT_EQ(response.info().replicas(), 2u);
}

TEST_F(SessionCodecTest, AFailureIsInTheDetailsOfTheStatus) {
  replication::Failure failure;
  failure.reason = Reason::kStale;
  failure.missing_writer = "b";
  failure.behind = 3;

  const grpc::Status status =
      FailedCall(absl::UnavailableError("stale"), EncodeFailure(failure));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "stale");
  v1::StatusDetails details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_THAT(details.details(), SizeIs(1));
  v1::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), v1::REASON_STALE);
  EXPECT_EQ(info.missing_writer(), "b");
  EXPECT_EQ(info.behind(), 3u);
}

TEST(ProtoTimeTest, DurationsComeBackAsTheyWere) {
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Milliseconds(1500), absl::Hours(24 * 30),
        -absl::Milliseconds(1500)}) {
    EXPECT_THAT(FromProto(ToProto(duration)), IsOkAndHolds(duration));
  }
}

TEST(ProtoTimeTest, TimesBeyondProtobufAreMovedToItsLimits) {
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).seconds(), 253402300799);
  EXPECT_EQ(ToProto(absl::InfinitePast()).seconds(), -62135596800);
}

}  // namespace
}  // namespace sessionmesh::node
