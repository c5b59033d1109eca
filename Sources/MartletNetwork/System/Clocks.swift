#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The one place where this room reads a clock. Everything else is handed its time.
public enum Clocks {
    /// Nanoseconds of a clock that only goes forward; its zero means nothing.
    public static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970 UTC.
    public static func wall() -> Int64 { read(CLOCK_REALTIME) }

    /// Nanoseconds of a processor that the calling thread has used.
    public static func threadUse() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Spans of time as nanoseconds, the unit of every time-out in this room.
public enum Nanoseconds {
    public static func seconds(_ count: Int64) -> Int64 { count * 1_000_000_000 }
    public static func milliseconds(_ count: Int64) -> Int64 { count * 1_000_000 }
}
