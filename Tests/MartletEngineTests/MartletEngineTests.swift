import Testing

@testable import MartletEngine
