import Martlet

/// A parameter sweep: every combination of the values given for some keys.
package struct Sweep: Sendable {
    /// One key with its values, as `--sweep strategy.size=5,10,20` says.
    package struct Axis: Sendable, Hashable {
        package var path: String
        package var values: [String]
    }
    package let axes: [Axis]

    /// More runs than this are a typing error or a night's work; the grid is bounded so that it stays a choice.
    package static let mostRuns = 10_000

    package init(_ assignments: [Assignment]) throws(CommandError) {
        var axes: [Axis] = []
        for assignment in assignments {
            let values = assignment.value.split(separator: ",", omittingEmptySubsequences: false).map {
                String($0.drop { $0 == " " })
            }
            guard !values.contains("") else {
                throw .usage("--sweep \(assignment.path)=\(assignment.value): a value is empty")
            }
            guard !axes.contains(where: { $0.path == assignment.path }) else {
                throw .usage("--sweep \(assignment.path) is given twice; list its values once, with commas")
            }
            axes.append(Axis(path: assignment.path, values: values))
        }
        self.axes = axes
        var runs = 1
        for axis in axes {
            runs *= axis.values.count
            guard runs <= Sweep.mostRuns else {
                throw .usage("--sweep asks for more than \(Sweep.mostRuns) runs; take fewer values")
            }
        }
    }

    /// All combinations, the last axis turning fastest.
    package var combinations: [[Assignment]] {
        axes.reduce([[]]) { partial, axis in
            partial.flatMap { head in
                axis.values.map { head + [Assignment(path: axis.path, value: $0)] }
            }
        }
    }
}
