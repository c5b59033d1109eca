import Foundation

/// One thing to be imported: a file, standard input, or a folder whose files are one session.
struct Recording: Hashable {
    enum Kind: Hashable {
        case file
        /// A folder of parts by message type (`raw_events/type=…`).
        case parts([String])
    }
    var path: String
    var kind: Kind
    /// Without its folders: what is written on a tape says nothing of a machine.
    var name: String { path == "-" ? "standard input" : (path as NSString).lastPathComponent }
    /// The files that it is made of.
    var paths: [String] {
        switch kind {
        case .file: [path]
        case .parts(let paths): paths
        }
    }

    /// The recordings behind a list of paths, folders searched to their bottom, in the order of their names.
    static func find(_ inputs: [String]) throws(ImportError) -> [Recording] {
        var found: [Recording] = []
        for input in inputs {
            var isFolder: ObjCBool = false
            guard input == "-" || FileManager.default.fileExists(atPath: input, isDirectory: &isFolder) else {
                throw ImportError(.unreadable("no such file or folder"), file: input)
            }
            if isFolder.boolValue {
                found += try search(input)
            } else {
                found.append(Recording(path: input, kind: .file))
            }
        }
        return found
    }

    private static func search(_ folder: String) throws(ImportError) -> [Recording] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw ImportError(.unreadable("the folder cannot be listed"), file: folder)
        }
        if names.contains("raw_events") {
            let parts = try search(folder + "/raw_events").map(\.path)
            return parts.isEmpty ? [] : [Recording(path: folder, kind: .parts(parts))]
        }
        var found: [Recording] = []
        for name in names where !name.hasPrefix(".") {
            let path = folder + "/" + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
            if isFolder.boolValue {
                found += try search(path)
            } else {
                found.append(Recording(path: path, kind: .file))
            }
        }
        return found
    }
}
