// Swift Testing starts every test of a run at once. On a few threads an `await` in one of them then returns only after
// hundreds of others had their turn, which takes minutes: far longer than any real socket, heartbeat or session
// waits. Two tests a processor at once take no longer in all and wait for nobody. Read from the environment by the
// library; a value set from outside stands.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void limit_test_width(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    char width[32];
    snprintf(width, sizeof width, "%ld", 2 * (processors > 0 ? processors : 1));
    setenv("SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH", width, 0);
}
