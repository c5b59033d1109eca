import ExclusiveArbitrage
import LongshotBias
import Martlet
import SpreadMaker
// `martlet new NAME` adds its import above this line.

/// The strategies that this build of `martlet` knows.
func compiledStrategies() -> [any Strategy.Type] {
    [
        ExclusiveArbitrage.self,
        LongshotBias.self,
        SpreadMaker.self,
        // `martlet new NAME` adds its strategy above this line.
    ]
}
