// martlet-probe: the network room as a program, so that independent suites can be run against it.
// One file a subcommand; to add one, add its line here.

import Foundation

signal(SIGPIPE, SIG_IGN)
let arguments = Array(CommandLine.arguments.dropFirst())
// A suite that ends the probe gets an exit code, not a signal's. For the server that is its usual end; anything else
// has not done what it was to do.
for number in [SIGTERM, SIGINT] {
    if arguments.first == "ws-echo-server" {
        signal(number) { _ in _exit(0) }
    } else {
        signal(number) { _ in _exit(1) }
    }
}
let rest = Array(arguments.dropFirst())

switch arguments.first {
case "ws-echo-client": exit(WebSocketEcho.client(rest))
case "ws-echo-server": exit(WebSocketEcho.server(rest))
case "http": exit(HTTPProbe.run(rest))
case "json": exit(JSONProbe.run(rest))
case "rsa": exit(RSAProbe.run(rest))
default: exit(Probe.usage())
}
