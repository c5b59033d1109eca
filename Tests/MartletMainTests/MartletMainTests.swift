import Testing

@testable import MartletMain
