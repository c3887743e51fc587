// RocksDB through its C interface (librocksdb-dev 7.8.3).
#pragma once
#include <rocksdb/c.h>
