// Preloaded into sessiond: adds an offset to the wall clock and leaves the
// monotonic one alone. The offset, nanoseconds as an int64_t, is in the file
// named by FAULTS_CLOCK_FILE, which is mapped, so a change is a jump at once.
//
// Not libfaketime: jemalloc reads a clock before libfaketime is ready, and
// sessiond hangs in it (libfaketime 0.9.10, jemalloc 5.3, Debian 12). So this
// allocates nothing, looks up nothing, and calls the kernel itself.

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace {

using Word = intptr_t;  // what a register holds

constexpr int64_t kNanosPerSecond = 1'000'000'000;

const volatile int64_t* offset_nanos = nullptr;

Word Kernel(Word number, Word a, Word b, Word c, Word d, Word e, Word f) {
  Word result = 0;
  register Word r10 asm("r10") = d;
  register Word r8 asm("r8") = e;
  register Word r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

int64_t Offset() { return offset_nanos == nullptr ? 0 : *offset_nanos; }

void Shift(timespec* time, int64_t nanos) {
  const int64_t sum = time->tv_nsec + nanos;
  int64_t seconds = sum / kNanosPerSecond;
  int64_t rest = sum % kNanosPerSecond;
  if (rest < 0) {
    rest += kNanosPerSecond;
    --seconds;
  }
  time->tv_sec += seconds;
  time->tv_nsec = rest;
}

__attribute__((constructor(101))) void MapOffset() {
  const char* const path = getenv("FAULTS_CLOCK_FILE");
  if (path == nullptr) return;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* const mapped =
      mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) return;
  offset_nanos = static_cast<const volatile int64_t*>(mapped);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const Word result = Kernel(__NR_clock_gettime, clock,
                             reinterpret_cast<Word>(time), 0, 0, 0, 0);
  if (result < 0) {
    errno = static_cast<int>(-result);
    return -1;
  }
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    Shift(time, Offset());
  }
  return 0;
}

int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* where) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (where != nullptr) *where = now.tv_sec;
  return now.tv_sec;
}

// Abseil waits until a time of the wall clock, which it knows shifted, and the
// kernel does not.
Word syscall(Word number, ...) noexcept {
  va_list list;
  va_start(list, number);
  Word words[6];
  for (Word& word : words) word = va_arg(list, Word);
  va_end(list);
  timespec until{};
  const auto* const timeout = reinterpret_cast<const timespec*>(words[3]);
  const Word command = words[1] & FUTEX_CMD_MASK;
  if (number == __NR_futex && (words[1] & FUTEX_CLOCK_REALTIME) != 0 &&
      command == FUTEX_WAIT_BITSET && timeout != nullptr) {
    until = *timeout;
    Shift(&until, -Offset());
    words[3] = reinterpret_cast<Word>(&until);
  }
  const Word result = Kernel(number, words[0], words[1], words[2], words[3],
                             words[4], words[5]);
  if (result < 0 && result > -4096) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

}  // extern "C"
