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
#else
static inline bool crc32c_instruction_exists(void) { return false; }

static inline uint32_t crc32c_instruction(uint32_t state, const void *_Nullable octets, size_t count) {
    return state;
}
#endif

// glibc shows this only to those who ask for all of GNU, which the Swift module of it does not.
extern int renameat2(int, const char *, int, const char *, unsigned int);

/// Lets two folders change places in one step: a repaired store and the damaged one. 0, or -1 and errno.
static inline int exchange_folders(const char *one, const char *other) {
    return renameat2(-100 /* AT_FDCWD */, one, -100, other, 2 /* RENAME_EXCHANGE */);
}
