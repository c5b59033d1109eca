import Testing

@testable import MartletTape
