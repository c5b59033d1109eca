import Foundation
import MartletKalshi
import MartletNetwork

/// The flags that say which exchange a command talks to and as whom, shared by all commands that do.
///
///     command.flags = ExchangeFlags.all + [limit]
///     command.run = { invocation, terminal in
///         let access = try ExchangeAccess(invocation)
///         let signer = try access.signer("the feed asks for a key, for public prices too")
///
/// Each has an environment variable; the flag wins.
enum ExchangeFlags {
    static let environment = ValueFlag(
        "environment", .text("WHICH"),
        "production, demo, or an address such as https://127.0.0.1:8443 (production; MARTLET_ENVIRONMENT)")
    static let keyID = ValueFlag("key-id", .text("ID"), "the API key's id (MARTLET_KEY_ID)")
    static let key = ValueFlag(
        "key", .file, "its private key, a PEM file only you can read (MARTLET_KEY)")
    static let passphrase = ValueFlag(
        "key-passphrase", .file, "a file with the pass phrase of an encrypted key (MARTLET_KEY_PASSPHRASE)")
    static let authority = ValueFlag(
        "ca", .file, "trust the certificates of this file alone, not the system's (MARTLET_CA)")

    static let all: [any Flag] = [environment, keyID, key, passphrase, authority]
}

/// What the flags came to: which exchange, as whom, trusting whom.
struct ExchangeAccess {
    var environment: ExchangeEnvironment
    /// Somebody said which; it is not the default.
    let isNamed: Bool
    /// Nil where no key was given: public calls only.
    var credentials: Credentials?
    var tls: TLSContext
    /// The settings as they were given, paths made absolute: for processes that a session starts.
    var given: Given

    struct Given {
        var environment: String
        var key: String?
        var passphrase: String?
        var authority: String?
    }

    /// Throws a ``CommandError`` that says which setting is wrong and what to do.
    /// - Parameter asks: whether a person at the terminal is asked for an encrypted key's pass phrase. Not for a
    ///   session: its guard and 'martlet halt' open the key by themselves.
    init(
        _ invocation: Invocation, variables: [String: String] = ProcessInfo.processInfo.environment,
        asks: Bool = true
    ) throws {
        func setting(_ flag: ValueFlag<String>, _ variable: String) -> String? {
            if let given = invocation[flag] { return given }
            return variables[variable].flatMap { $0.isEmpty ? nil : $0 }
        }
        let named = setting(ExchangeFlags.environment, "MARTLET_ENVIRONMENT")
        isNamed = named != nil
        let which = named ?? "production"
        do {
            environment = try ExchangeEnvironment(which)
        } catch {
            throw CommandError.usage("--environment: \(error)")
        }
        let id = setting(ExchangeFlags.keyID, "MARTLET_KEY_ID")
        let file = setting(ExchangeFlags.key, "MARTLET_KEY")
        let phrase = setting(ExchangeFlags.passphrase, "MARTLET_KEY_PASSPHRASE")
        let authority = setting(ExchangeFlags.authority, "MARTLET_CA")
        credentials = try ExchangeAccess.credentials(
            id: id, file: file, passphrase: phrase, prompt: asks ? PassphrasePrompt.onTerminal() : nil)
        tls = try ExchangeAccess.tls(authority)
        func absolute(_ path: String?) -> String? { path.map { URL(fileURLWithPath: $0).path } }
        given = Given(
            environment: which, key: absolute(file), passphrase: absolute(phrase),
            authority: absolute(authority))
    }

    private static func credentials(
        id: String?, file: String?, passphrase: String?, prompt: PassphrasePrompt?
    ) throws -> Credentials? {
        guard let id, let file else {
            if id != nil { throw CommandError.usage("a key id without its key: add --key FILE") }
            if file != nil { throw CommandError.usage("a key without its id: add --key-id ID") }
            return nil
        }
        do {
            let prompted = prompt.map { prompt in Passphrase.prompt { prompt.ask(file) } } ?? .none
            return try Credentials(
                keyID: id, file: file, passphrase: passphrase.map { .file($0) } ?? prompted)
        } catch .passphraseNeeded {
            if let code = Interrupt.exitCode { throw CommandError("interrupted", code: code) }
            throw CommandError.usage("the key is encrypted: add --key-passphrase FILE")
        } catch {
            throw CommandError("\(error)")
        }
    }

    private static func tls(_ authority: String?) throws -> TLSContext {
        do {
            return try TLSContext(clientTrusting: authority.map { .file($0) } ?? .system)
        } catch {
            throw CommandError("\(authority.map { "\($0): " } ?? "")\(error)")
        }
    }

    /// The signer, for calls that cannot do without. `why` begins the error line.
    func signer(_ why: String) throws -> RequestSigner {
        guard let credentials else {
            throw CommandError.usage(
                "\(why): give --key-id ID and --key FILE (or MARTLET_KEY_ID and MARTLET_KEY)")
        }
        return RequestSigner(credentials)
    }
}
