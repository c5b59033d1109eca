import COpenSSL

/// OpenSSL as a whole.
public enum CryptoLibrary {
    /// Leaves OpenSSL as it is when the process exits. Otherwise it frees its tables in `exit`, and a thread that is
    /// still signing or encrypting then crashes. To be called once, before anything else of this room.
    public static func keepUntilTheEnd() { _ = copenssl_keep_at_exit() }
}
