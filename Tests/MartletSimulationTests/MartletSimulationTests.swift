import Testing

@testable import MartletSimulation
