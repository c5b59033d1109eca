import MartletWire

/// The general parser over a file: exit code 0 accepted, 1 rejected; `--dump` prints the value as JSON again.
enum JSONProbe {
    static func run(_ arguments: [String]) -> Int32 {
        let isDump = arguments.first == "--dump"
        let files = isDump ? Array(arguments.dropFirst()) : arguments
        guard files.count == 1 else { return Probe.usage() }
        guard let bytes = Probe.bytes(ofFile: files[0]) else {
            Probe.complain("error \(files[0]) cannot be read")
            return 2
        }
        do {
            let value = try JSONParser.parse(bytes)
            if isDump { print(JSONWriter.text(value)) }
            return 0
        } catch {
            Probe.complain("error \(files[0]): \(error)")
            return 1
        }
    }
}
