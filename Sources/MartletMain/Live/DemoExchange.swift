import Foundation
import MartletKalshi
import MartletNetwork
import MartletSandbox
import Synchronization

/// A sandbox exchange in this process, on a thread of its own, with one account and a key that nobody else has.
final class DemoExchange {
    /// Unchecked: sound because the value is touched on the loop's thread alone.
    private final class OnLoop: @unchecked Sendable {
        var server: SandboxServer?
    }
    private struct Started: Sendable {
        var rest = ""
        var authority: String?
        var control = ""
        var token = ""
        var markets: [String] = []
        var problem: String?
    }

    static let keyID = "demo-key"
    let environment: ExchangeEnvironment
    let signer: RequestSigner
    let tls: TLSContext
    let markets: [String]
    let control: String
    let token: String
    let files: SessionSetup.Files
    private let thread: EventLoopThread
    private let held = OnLoop()
    private let keyFolder: String

    /// - Parameters:
    ///   - busyPolling: nanoseconds for which its thread polls before it sleeps.
    ///   - adjust: changes the exchange's settings before it starts.
    init(
        seed: UInt64, tier: String, markets count: Int, key algorithm: KeyAlgorithm = .ed25519,
        busyPolling: Int64 = 0,
        adjust: (inout SandboxSettings) -> Void = { _ in }
    ) throws {
        let key = try PrivateKey.generate(algorithm)
        keyFolder = try TemporaryFolder.make("martlet-demo")
        let file = keyFolder + "/private.pem"
        try NewFile.write(try key.pem(), to: file, mode: 0o600)
        var settings = SandboxSettings()
        settings.seed = seed
        settings.tier = tier
        settings.world.markets = count
        settings.accounts = [.init(keyID: DemoExchange.keyID, publicKeyPEM: key.publicKey.pem())]
        adjust(&settings)
        thread = try EventLoopThread(name: "sandbox", givesWay: true, busyPolling: busyPolling)
        let started = DemoExchange.start(settings, thread, held)
        if let problem = started.problem {
            throw CommandError("the sandbox exchange cannot start: \(problem)")
        }
        do {
            environment = try ExchangeEnvironment(started.rest)
            tls = try TLSContext(clientTrusting: started.authority.map { .file($0) } ?? .system)
            signer = RequestSigner(try Credentials(keyID: DemoExchange.keyID, file: file, passphrase: .none))
        } catch {
            throw CommandError("\(error)")
        }
        markets = started.markets
        files = .init(environment: started.rest, key: file, authority: started.authority)
        control = started.control
        token = started.token
    }

    private static func start(_ settings: SandboxSettings, _ thread: EventLoopThread, _ held: OnLoop)
        -> Started
    {
        let done = DispatchSemaphore(value: 0)
        let box = OutcomeBox()
        thread.loop.execute { [loop = thread.loop] in
            do {
                let server = try SandboxServer(settings, loop: loop)
                held.server = server
                box.value.withLock {
                    $0 = Started(
                        rest: server.restURL, authority: server.authorityFile, control: server.controlURL,
                        token: server.controlToken, markets: server.quotedMarkets)
                }
            } catch {
                box.value.withLock { $0 = Started(problem: "\(error)") }
            }
            done.signal()
        }
        done.wait()
        return box.value.withLock { $0 } ?? Started(problem: "no answer")
    }
    private final class OutcomeBox: Sendable {
        let value = Mutex<Started?>(nil)
    }

    /// The account as the exchange itself has it.
    func ledger() -> SandboxLedger? {
        let box = LedgerBox()
        let done = DispatchSemaphore(value: 0)
        thread.loop.execute { [held] in
            let ledger = held.server?.ledger(DemoExchange.keyID)
            box.value.withLock { $0 = ledger }
            done.signal()
        }
        done.wait()
        return box.value.withLock { $0 }
    }
    private final class LedgerBox: Sendable {
        let value = Mutex<SandboxLedger?>(nil)
    }

    func close() {
        let done = DispatchSemaphore(value: 0)
        thread.loop.execute { [held] in
            held.server?.close()
            held.server = nil
            done.signal()
        }
        done.wait()
        thread.stop()
        try? FileManager.default.removeItem(atPath: keyFolder)
    }
}
