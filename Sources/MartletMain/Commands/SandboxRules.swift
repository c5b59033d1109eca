import MartletSandbox

/// The sandbox's switches for undocumented behaviour by name.
enum SandboxRules {
    private static let switches:
        [(name: String, path: WritableKeyPath<SandboxSettings.Rules, Bool> & Sendable)] = [
            ("refuse_replay", \.refusesReplay), ("nested_errors", \.nestedErrors),
            ("reject_post_only_cross", \.rejectsPostOnlyCross),
            ("reject_empty_immediate", \.rejectsEmptyImmediate),
            ("confirm_late_cancels", \.confirmsLateCancels), ("cancel_all_lingers", \.cancelsAllForAMinute),
            ("merge_subscriptions", \.mergesSubscriptions),
            ("yes_prices_by_default", \.yesPricesByDefault), ("ascending_levels", \.ascendingLevels),
            ("takers_first", \.showsTakersFirst), ("removed_fields", \.keepsRemovedFields),
        ]
    static var names: [String] { switches.map(\.name) + ["skew_tolerance_ms"] }

    /// What is wrong with a rule, nil when it was set.
    static func set(_ name: String, to text: String, _ rules: inout SandboxSettings.Rules) -> String? {
        if name == "skew_tolerance_ms" {
            guard let value = Int64(text), (0...86_400_000).contains(value) else {
                return "skew_tolerance_ms is '\(text)'; write milliseconds up to 86400000"
            }
            rules.skewToleranceMilliseconds = value
            return nil
        }
        guard let entry = switches.first(where: { $0.name == name }) else {
            return "no rule '\(name)'; there are \(names.joined(separator: ", "))"
        }
        guard let value = Bool(text) else { return "\(name) is '\(text)'; write true or false" }
        rules[keyPath: entry.path] = value
        return nil
    }
}
