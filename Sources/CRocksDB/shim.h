// RocksDB through its C interface (librocksdb-dev 7.8.3).
#pragma once
#include <rocksdb/c.h>

// glibc shows this only to those who ask for all of GNU, which the Swift module of it does not.
extern int renameat2(int, const char *, int, const char *, unsigned int);

/// Lets two folders change places in one step: a repaired store and the damaged one. 0, or -1 and errno.
static inline int exchange_folders(const char *one, const char *other) {
    return renameat2(-100 /* AT_FDCWD */, one, -100, other, 2 /* RENAME_EXCHANGE */);
}
