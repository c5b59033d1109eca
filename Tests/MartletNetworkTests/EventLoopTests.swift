import Testing

@testable import MartletNetwork
