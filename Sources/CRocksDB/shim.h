// RocksDB through its C interface (librocksdb-dev 7.8.3), and the processor's CRC32C instruction, which Swift does
// not name.
#pragma once
#include <rocksdb/c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static inline bool crc32c_instruction_exists(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

/// `state` is the register itself, not its complement.
__attribute__((target("sse4.2"))) static inline uint32_t
crc32c_instruction(uint32_t state, const void *_Nullable octets, size_t count) {
    const uint8_t *next = (const uint8_t *)octets;
    uint64_t wide = state;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; count > 0; count -= 1, next += 1) state = __builtin_ia32_crc32qi(state, *next);
    return state;
}

/// Octets of a run; three runs are a block.
enum { crc32c_run = 256 };

/// `state` when a run of zeros has followed. `shift`: what each octet of it becomes then, lowest octet first, 4 × 256.
static inline uint32_t crc32c_shifted(uint32_t state, const uint32_t *_Nonnull shift) {
    return shift[state & 255] ^ shift[256 + (state >> 8 & 255)] ^ shift[512 + (state >> 16 & 255)] ^
           shift[768 + (state >> 24)];
}

/// As `crc32c_instruction`, for whole blocks: the instruction takes three cycles and can begin anew in each, so the three
/// runs of a block go side by side, each as if it came first, and are put behind one another at its end.
__attribute__((target("sse4.2"))) static inline uint32_t crc32c_blocks(
    uint32_t state, const void *_Nonnull octets, size_t blocks, const uint32_t *_Nonnull shift) {
    const uint8_t *next = (const uint8_t *)octets;
    for (; blocks > 0; blocks -= 1, next += 3 * crc32c_run) {
        uint64_t first = state, second = 0, third = 0;
        for (size_t place = 0; place < crc32c_run; place += 8) {
            uint64_t words[3];
            memcpy(&words[0], next + place, 8);
            memcpy(&words[1], next + crc32c_run + place, 8);
            memcpy(&words[2], next + 2 * crc32c_run + place, 8);
            first = __builtin_ia32_crc32di(first, words[0]);
            second = __builtin_ia32_crc32di(second, words[1]);
            third = __builtin_ia32_crc32di(third, words[2]);
        }
        state = crc32c_shifted(crc32c_shifted((uint32_t)first, shift) ^ (uint32_t)second, shift) ^ (uint32_t)third;
    }
    return state;
}
#else
static inline bool crc32c_instruction_exists(void) { return false; }

static inline uint32_t crc32c_instruction(uint32_t state, const void *_Nullable octets, size_t count) {
    return state;
}

enum { crc32c_run = 256 };

static inline uint32_t crc32c_blocks(
    uint32_t state, const void *_Nonnull octets, size_t blocks, const uint32_t *_Nonnull shift) {
    return state;
}
#endif

// glibc shows this only to those who ask for all of GNU, which the Swift module of it does not.
extern int renameat2(int, const char *, int, const char *, unsigned int);

/// Lets two folders change places in one step: a repaired store and the damaged one. 0, or -1 and errno.
static inline int exchange_folders(const char *one, const char *other) {
    return renameat2(-100 /* AT_FDCWD */, one, -100, other, 2 /* RENAME_EXCHANGE */);
}
