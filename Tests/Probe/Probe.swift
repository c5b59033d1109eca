import Foundation
import MartletNetwork

/// What the subcommands share.
enum Probe {
    static func usage() -> Int32 {
        complain(
            """
            usage: martlet-probe ws-echo-client URL
                   martlet-probe ws-echo-server PORT
                   martlet-probe http METHOD URL [BODY|@FILE]
                   martlet-probe http --seq METHOD URL [METHOD URL ...]
                   martlet-probe json [--dump] FILE
                   martlet-probe rsa verify PUB.pem SIGFILE  (message on standard input)
                   martlet-probe rsa sign KEY.pem TIMESTAMP_MS METHOD PATH
            """)
        return 2
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// The only trust there is: the file that `SSL_CERT_FILE` names.
    static func trust() throws(TLSError) -> TLSContext {
        let file = ProcessInfo.processInfo.environment["SSL_CERT_FILE"]
        return try TLSContext(clientTrusting: file.map { .file($0) } ?? .none)
    }

    /// A time-out from the environment, in nanoseconds.
    static func timeout(_ variable: String, orSeconds seconds: Int64) -> Int64 {
        let text = ProcessInfo.processInfo.environment[variable]
        guard let milliseconds = text.flatMap(Int64.init), milliseconds > 0, milliseconds < 1 << 40 else {
            return Nanoseconds.seconds(seconds)
        }
        return Nanoseconds.milliseconds(milliseconds)
    }

    static func bytes(ofFile path: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(fileURLWithPath: path))).map { Array($0) }
    }
}
