// Steps over many octets at once, by instructions that Swift has no words for. Each has a slow twin in Swift that says the
// same, for other processors and for the ends of pieces.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <tmmintrin.h>

/// SSSE3 and POPCNT: all x86-64 since 2008.
static inline bool octets_can_be_picked(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_POPCNT);
}

/// Writes those of `count` octets to `to` that are letters of ASCII, in lower case, or above 127; returns how many. Looks
/// at whole sixteens only: the rest is the caller's. It may write up to `count` octets of `to`, whatever it returns.
///
/// `shuffles`: for each set of eight places the places themselves, first of all, an octet each.
__attribute__((target("ssse3,popcnt"))) static inline size_t pick_letters(
    const uint8_t *_Nonnull from, size_t count, uint8_t *_Nonnull to, const uint64_t *_Nonnull shuffles) {
    const __m128i bit = _mm_set1_epi8(0x20), first = _mm_set1_epi8('a'), last = _mm_set1_epi8('z' - 'a');
    uint8_t *next = to;
    for (; count >= 16; count -= 16, from += 16) {
        const __m128i octets = _mm_loadu_si128((const __m128i *)from);
        const __m128i high = _mm_cmpgt_epi8(_mm_setzero_si128(), octets);
        const __m128i lower = _mm_or_si128(octets, _mm_andnot_si128(high, bit));
        const __m128i place = _mm_sub_epi8(lower, first);
        const __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(place, last), place);
        const unsigned kept = (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, high));
        const __m128i one = _mm_loadl_epi64((const __m128i *)(shuffles + (kept & 255)));
        _mm_storel_epi64((__m128i *)next, _mm_shuffle_epi8(lower, one));
        next += __builtin_popcount(kept & 255);
        const __m128i two = _mm_loadl_epi64((const __m128i *)(shuffles + (kept >> 8)));
        _mm_storel_epi64((__m128i *)next, _mm_shuffle_epi8(_mm_srli_si128(lower, 8), two));
        next += __builtin_popcount(kept >> 8);
    }
    return (size_t)(next - to);
}
#else
static inline bool octets_can_be_picked(void) { return false; }

static inline size_t pick_letters(
    const uint8_t *_Nonnull from, size_t count, uint8_t *_Nonnull to, const uint64_t *_Nonnull shuffles) {
    return 0;
}
#endif
