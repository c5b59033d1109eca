import MartletWire

/// One page of a list.
public struct Page<Element: Sendable>: Sendable {
    public var elements: [Element]
    /// Where the next page begins; nil on the last.
    public var cursor: String?

    /// An absent and an empty cursor both end a list.
    init(_ elements: [Element], _ fields: FieldReader) throws(WireError) {
        self.elements = elements
        cursor = try fields.string("cursor").flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A list that comes in pages: the call for the first of them, and how its elements are told apart.
public struct PagedCall<Element: Sendable>: Sendable {
    public var call: RestCall<Page<Element>>
    /// Windows move while a list is paged through, so elements can come again on the next page.
    let identity: @Sendable (Element) -> String

    init(
        _ request: RestRequest, _ identity: @escaping @Sendable (Element) -> String,
        _ decode: @escaping @Sendable (FieldReader) throws(WireError) -> [Element]
    ) {
        self.identity = identity
        call = RestCall(request) { (value) throws(WireError) in
            let fields = try FieldReader(value, request.path)
            return try Page(try decode(fields), fields)
        }
    }

    /// The call for the page at a cursor.
    public func page(at cursor: String?) -> RestCall<Page<Element>> {
        guard let cursor else { return call }
        var next = call
        next.request.query.removeAll { $0.name == "cursor" }
        next.request.query.append(("cursor", cursor))
        return next
    }
}

/// The elements of a list, page after page as they are asked for. One page is held in memory.
///
///     for try await market in client.all(Endpoints.markets(filter)) { … }
public struct PagedSequence<Element: Sendable>: AsyncSequence, Sendable {
    let client: KalshiClient
    let paged: PagedCall<Element>

    public func makeAsyncIterator() -> Iterator { Iterator(client: client, paged: paged) }

    public struct Iterator: AsyncIteratorProtocol {
        let client: KalshiClient
        let paged: PagedCall<Element>
        private var waiting: [Element] = []
        private var cursor: String?
        private var isDone = false
        /// Of the page before, so that its elements are not told twice.
        private var seen: Set<String> = []
        private var lastCursors: [String] = []

        /// Cursors are remembered this far back, to notice a list that never ends.
        private static var memory: Int { 64 }

        init(client: KalshiClient, paged: PagedCall<Element>) {
            self.client = client
            self.paged = paged
        }

        public mutating func next() async throws -> Element? {
            while waiting.isEmpty {
                if isDone { return nil }
                try await readPage()
            }
            return waiting.removeLast()
        }

        private mutating func readPage() async throws(RestError) {
            let call = paged.page(at: cursor)
            let page = try await client.send(call)
            var fresh: Set<String> = []
            var elements: [Element] = []
            for element in page.elements {
                let identity = paged.identity(element)
                if !seen.contains(identity), fresh.insert(identity).inserted { elements.append(element) }
            }
            seen = Set(page.elements.map(paged.identity))
            waiting = elements.reversed()
            cursor = page.cursor
            isDone = page.cursor == nil
            if let cursor {
                guard !lastCursors.contains(cursor) else {
                    throw .cursorLoop(request: call.request.fullPath)
                }
                lastCursors.append(cursor)
                if lastCursors.count > Self.memory { lastCursors.removeFirst() }
            }
        }
    }
}
