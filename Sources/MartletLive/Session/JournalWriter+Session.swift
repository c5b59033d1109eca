import Martlet
import MartletEngine
import MartletTape

extension JournalWriter: SessionJournal {
    package func named(_ order: OrderID, venueOrderID: String, at time: Timestamp) {
        append(.venueID(order, venueOrderID), at: time)
    }
}

extension JournalSettings {
    package init(_ settings: LiveSettings) {
        self.init()
        segmentSize = settings.journalSegment
        switch settings.sync {
        case .never: sync = .never
        case .interval: sync = .interval(.seconds(1))
        case .everyOrder: sync = .everyCommand
        }
    }
}
