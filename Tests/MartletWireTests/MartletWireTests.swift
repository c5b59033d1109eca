import Testing

@testable import MartletWire
