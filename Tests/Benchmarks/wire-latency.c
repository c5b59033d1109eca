/* What `martlet bench wire-latency` is compared with: reads and writes the same TLS records and does nothing else.
 *
 *   wire-latency PORT CA-FILE REQUEST-FILE MESSAGES poll|sleep
 *
 * One connection is a WebSocket, the other takes the same order request again and again. Measured from epoll's
 * return with the WebSocket readable to SSL_write's return with the whole request taken. Prints one JSON object:
 * median and 99th percentile in nanoseconds, and the medians of the read and of the write. The first tenth is left
 * out. Exit code 1 with a line on standard error when anything is not as expected. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 16];

static void fail(const char *what) {
    fprintf(stderr, "wire-latency: %s\n", what);
    exit(1);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static SSL *connected(SSL_CTX *context, int port) {
    int one = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, descriptor);
    SSL_set1_host(ssl, "localhost");
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (SSL_connect(ssl) != 1) fail("no TLS");
    return ssl;
}

static void sent(SSL *ssl, const void *bytes, int count) {
    if (SSL_write(ssl, bytes, count) != count) fail("cannot write");
}

static int received(SSL *ssl) {
    int count = SSL_read(ssl, buffer, sizeof buffer);
    if (count <= 0) fail("cannot read");
    return count;
}

/* Frame headers may hold zero bytes. */
static int holds(int count, const char *text) { return memmem(buffer, (size_t)count, text, strlen(text)) != NULL; }

/* A masked text frame that asks for the next delta. */
static void ask(SSL *ssl) {
    static const unsigned char frame[] = {0x81, 0x84, 0, 0, 0, 0, 'n', 'e', 'x', 't'};
    sent(ssl, frame, sizeof frame);
}

static int polls;

static void waited(int poller, SSL *ssl) {
    struct epoll_event event;
    do {
        if (SSL_pending(ssl)) return;
        int count;
        do count = epoll_wait(poller, &event, 1, polls ? 0 : 10000);
        while (polls && count == 0);
        if (count != 1) fail("nothing came");
    } while (event.data.ptr != ssl);
}

static int ascending(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return x < y ? -1 : x > y;
}

static long long at(long long *values, int count, double share) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[(int)(count * share)];
}

int main(int argc, char **argv) {
    if (argc != 6) fail("usage: wire-latency PORT CA-FILE REQUEST-FILE MESSAGES poll|sleep");
    polls = !strcmp(argv[5], "poll");
    int messages = atoi(argv[4]), skipped = messages / 10;
    static char request[1 << 16];
    FILE *file = fopen(argv[3], "rb");
    if (!file || messages < 10) fail("the arguments cannot be used");
    int length = (int)fread(request, 1, sizeof request, file);
    fclose(file);
    long long *whole = calloc((size_t)messages, sizeof *whole), *reads = calloc((size_t)messages, sizeof *reads),
              *writes = calloc((size_t)messages, sizeof *writes);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(context, argv[2], NULL) != 1) fail("no authority");
    SSL *feed = connected(context, atoi(argv[1])), *orders = connected(context, atoi(argv[1]));
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = feed};
    epoll_ctl(poller, EPOLL_CTL_ADD, SSL_get_fd(feed), &event);
    event.data.ptr = orders;
    epoll_ctl(poller, EPOLL_CTL_ADD, SSL_get_fd(orders), &event);

    static const char upgrade[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    sent(feed, upgrade, sizeof upgrade - 1);
    int count = received(feed);
    if (strncmp(buffer, "HTTP/1.1 101", 12)) fail("no WebSocket");
    /* The snapshot, in the handshake's record or behind it. */
    if (!holds(count, "orderbook_snapshot")) received(feed);

    for (int index = 0; index < messages; index++) {
        ask(feed);
        waited(poller, feed);
        long long start = now();
        count = received(feed);
        long long read = now();
        sent(orders, request, length);
        long long end = now();
        whole[index] = end - start;
        reads[index] = read - start;
        writes[index] = end - read;
        if (!holds(count, "orderbook_delta")) fail("no delta came");
        waited(poller, orders);
        received(orders);
        if (strncmp(buffer, "HTTP/1.1 201", 12)) fail("an order was refused");
    }
    count = messages - skipped;
    printf("{\"median\":%lld,\"p99\":%lld,\"read\":%lld,\"write\":%lld}\n", at(whole + skipped, count, 0.5),
        at(whole + skipped, count, 0.99), at(reads + skipped, count, 0.5), at(writes + skipped, count, 0.5));
    return 0;
}
