import Testing

@testable import MartletReport
