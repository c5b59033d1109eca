/* Counts a program's allocations and reference counts; loaded before its libraries (LD_PRELOAD). Writes one line to
 * the file named in COUNTS_FILE when the program ends: allocations, retains and releases.
 *
 * Swift's reference counting functions keep all registers but two, so that this needs clang (`preserve_most`). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNTING __attribute__((preserve_most))

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long allocations, retains, releases;

static void add(atomic_long *count) { atomic_fetch_add_explicit(count, 1, memory_order_relaxed); }

void *malloc(size_t size) {
    add(&allocations);
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    add(&allocations);
    return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
    add(&allocations);
    return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    add(&allocations);
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
    add(&allocations);
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : 12;
}

typedef void *(*Retain)(void *) COUNTING;
typedef void (*Release)(void *) COUNTING;
static Retain retain_object, retain_bridge;
static Release release_object, release_bridge;

__attribute__((constructor)) static void find(void) {
    retain_object = (Retain)dlsym(RTLD_NEXT, "swift_retain");
    retain_bridge = (Retain)dlsym(RTLD_NEXT, "swift_bridgeObjectRetain");
    release_object = (Release)dlsym(RTLD_NEXT, "swift_release");
    release_bridge = (Release)dlsym(RTLD_NEXT, "swift_bridgeObjectRelease");
}

COUNTING void *swift_retain(void *object) {
    if (!retain_object) find();
    add(&retains);
    return retain_object(object);
}
COUNTING void swift_release(void *object) {
    if (!release_object) find();
    add(&releases);
    release_object(object);
}
COUNTING void *swift_bridgeObjectRetain(void *object) {
    if (!retain_bridge) find();
    add(&retains);
    return retain_bridge(object);
}
COUNTING void swift_bridgeObjectRelease(void *object) {
    if (!release_bridge) find();
    add(&releases);
    release_bridge(object);
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("COUNTS_FILE");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld %ld %ld\n", atomic_load(&allocations), atomic_load(&retains), atomic_load(&releases));
    fclose(file);
}
