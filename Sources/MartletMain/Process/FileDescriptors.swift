#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How many files and sockets the process may have open.
enum FileDescriptors {
    /// Raises the limit as far as the system lets us, and returns it.
    static func allowAll() -> Int {
        var limit = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return 256 }
        let before = limit.rlim_cur
        // More is of no use to anybody here, and some systems say that there is no limit.
        limit.rlim_cur = min(limit.rlim_max, max(before, 65_536))
        if setrlimit(resource, &limit) != 0 { limit.rlim_cur = before }
        return Int(min(limit.rlim_cur, 65_536))
    }
}
