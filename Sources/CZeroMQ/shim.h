// Beside the library itself, what its wrapper needs to wake the thread that owns the sockets.
#include <sys/eventfd.h>
#include <zmq.h>
