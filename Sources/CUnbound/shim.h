// Beside the library itself, what its wrapper needs to wake the thread that waits for it.
#include <sys/eventfd.h>
#include <unbound.h>
