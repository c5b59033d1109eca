import CSystem

/// What can be asked of the thread that calls.
public enum SystemThread {
    /// From now on it does not interrupt others when it is woken. For work that can wait a moment.
    public static func giveWay() { csystem_yield_to_others() }
}
